namespace ProxySwapper.Reporting;

/// <summary>A creator of Pods: a Deployment, a CronJob, a custom object; or a Pod that none of these created.</summary>
/// <param name="Kind">Such as <c>Deployment</c>.</param>
/// <param name="Namespace">Its namespace; empty for an object of a cluster-scoped kind.</param>
/// <param name="Name">Its name.</param>
internal sealed record Workload(string Kind, string Namespace, string Name)
{
    /// <summary>The group and version of its kind, if read from the API server.</summary>
    public string ApiVersion { get; init; } = "v1";

    /// <summary>Its uid; null if read from manifests.</summary>
    public string? Uid { get; init; }

    /// <summary>The service account for pull Secrets if the template has none.</summary>
    public string ServiceAccount { get; init; } = "default";

    /// <summary>The template's pull Secrets.</summary>
    public IReadOnlyList<string> PullSecrets { get; init; } = [];

    /// <summary>
    /// True for the same object, however it was found: several Pods show the one that made them, perhaps in another version of its group.
    /// </summary>
    public bool Equals(Workload? other) =>
        other is not null && (Group, Kind, Namespace, Name) == (other.Group, other.Kind, other.Namespace, other.Name);

    /// <inheritdoc />
    public override int GetHashCode() => HashCode.Combine(Group, Kind, Namespace, Name);

    private string Group => ApiVersion.IndexOf('/', StringComparison.Ordinal) is > 0 and var end ? ApiVersion[..end] : "";

    /// <inheritdoc />
    public override string ToString() => Namespace.Length == 0 ? $"{Kind}/{Name}" : $"{Namespace}/{Kind}/{Name}";
}

/// <summary>One image of a Pod template, or of a Pod.</summary>
/// <param name="Image">The original image: for a rewritten Pod, from its annotation.</param>
/// <param name="Running">The current image of a Pod; null for a template.</param>
/// <param name="Node">The node of the Pod, or null.</param>
/// <param name="Workload">The workload that uses it.</param>
/// <param name="Pod">What else decides about the Pod.</param>
internal sealed record ImageUse(string Image, string? Running, string? Node, Workload Workload, PodTraits Pod);
