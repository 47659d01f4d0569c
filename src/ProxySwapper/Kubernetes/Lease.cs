namespace ProxySwapper.Kubernetes;

/// <summary>
/// A claim on something, by whom and until when
/// (<see href="https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/lease-v1/">coordination.k8s.io/v1 Lease</see>).
/// </summary>
/// <param name="Namespace">Its namespace.</param>
/// <param name="Name">Its name: lower-case letters, digits, <c>-</c> and <c>.</c>, at most 253.</param>
internal sealed record Lease(string Namespace, string Name)
{
    /// <summary>Tells it from another Lease of that name; empty before it is created.</summary>
    public string Uid { get; init; } = "";

    /// <summary>Changes with every update; empty before it is created.</summary>
    public string ResourceVersion { get; init; } = "";

    /// <summary>Who holds it, or null when nobody does.</summary>
    public string? HolderIdentity { get; init; }

    /// <summary>How long it is valid after <see cref="RenewTime"/>, in whole seconds, at least one; null when it does not say.</summary>
    public TimeSpan? Duration { get; init; }

    /// <summary>When its holder got it, in microseconds.</summary>
    public DateTimeOffset? AcquireTime { get; init; }

    /// <summary>When its holder last renewed it, in microseconds.</summary>
    public DateTimeOffset? RenewTime { get; init; }

    /// <summary>How often it went from one holder to another.</summary>
    public int Transitions { get; init; }

    /// <summary>Its labels.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>Its annotations.</summary>
    public IReadOnlyDictionary<string, string> Annotations { get; init; } = new Dictionary<string, string>();
}
