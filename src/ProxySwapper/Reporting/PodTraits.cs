namespace ProxySwapper.Reporting;

/// <summary>What determines whether a Pod is rewritten, other than its images.</summary>
internal sealed record PodTraits
{
    /// <summary>A Pod with nothing special.</summary>
    public static PodTraits None { get; } = new();

    /// <summary>True with the opt-out label.</summary>
    public bool IsOptedOut { get; init; }

    /// <summary>True for the API server's copy of a static Pod.</summary>
    public bool IsMirror { get; init; }

    /// <summary>Its controller; for a template, the one that its Pods will have. Null for none, or if that is not known.</summary>
    public PodController? Controller { get; init; }

    public IReadOnlyDictionary<string, string> Labels { get; init; } = LabelSelector.NoLabels;
}

/// <summary>The kind of a Pod's controller.</summary>
/// <param name="Group">Its API group; empty for the core group.</param>
/// <param name="Kind">Its kind.</param>
internal sealed record PodController(string Group, string Kind)
{
    /// <summary>The controller of the Pods of one of Kubernetes' own kinds with a template; null for any other.</summary>
    public static PodController? Of(string kind) =>
        kind switch
        {
            "Deployment" => new("apps", "ReplicaSet"),
            "ReplicaSet" or "StatefulSet" or "DaemonSet" => new("apps", kind),
            "CronJob" or "Job" => new("batch", "Job"),
            "ReplicationController" => new("", kind),
            _ => null,
        };

    /// <summary>From an object's group and version.</summary>
    public static PodController From(string apiVersion, string kind) =>
        new(apiVersion.IndexOf('/', StringComparison.Ordinal) is > 0 and var end ? apiVersion[..end] : "", kind);
}
