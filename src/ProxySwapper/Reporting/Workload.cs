namespace ProxySwapper.Reporting;

/// <summary>What makes Pods: a Deployment, a CronJob, an object of a custom kind; or a Pod that nothing of these made.</summary>
/// <param name="Kind">For instance <c>Deployment</c>.</param>
/// <param name="Namespace">Its namespace.</param>
/// <param name="Name">Its name.</param>
internal sealed record Workload(string Kind, string Namespace, string Name)
{
    /// <summary>The account whose pull Secrets count when the template names none.</summary>
    public string ServiceAccount { get; init; } = "default";

    /// <summary>The pull Secrets that the template names.</summary>
    public IReadOnlyList<string> PullSecrets { get; init; } = [];

    /// <inheritdoc />
    public override string ToString() => $"{Namespace}/{Kind}/{Name}";
}
