namespace ProxySwapper.Reporting;

/// <summary>A creator of Pods: a Deployment, a CronJob, a custom object; or a Pod that none of these created.</summary>
/// <param name="Kind">Such as <c>Deployment</c>.</param>
/// <param name="Namespace">Its namespace.</param>
/// <param name="Name">Its name.</param>
internal sealed record Workload(string Kind, string Namespace, string Name)
{
    /// <summary>The service account for pull Secrets if the template has none.</summary>
    public string ServiceAccount { get; init; } = "default";

    /// <summary>The template's pull Secrets.</summary>
    public IReadOnlyList<string> PullSecrets { get; init; } = [];

    /// <inheritdoc />
    public override string ToString() => $"{Namespace}/{Kind}/{Name}";
}
