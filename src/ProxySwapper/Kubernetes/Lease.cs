namespace ProxySwapper.Kubernetes;

/// <summary>
/// A claim with its holder and expiry
/// (<see href="https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/lease-v1/">coordination.k8s.io/v1 Lease</see>).
/// </summary>
/// <param name="Namespace">Its namespace.</param>
/// <param name="Name">Its name: lower-case letters, digits, <c>-</c> and <c>.</c>, at most 253.</param>
internal sealed record Lease(string Namespace, string Name)
{
    /// <summary>Distinguishes it from other Leases of the same name; empty before it is created.</summary>
    public string Uid { get; init; } = "";

    /// <summary>Changes with every update; empty before it is created.</summary>
    public string ResourceVersion { get; init; } = "";

    /// <summary>The holder, or null if there is none.</summary>
    public string? HolderIdentity { get; init; }

    /// <summary>How long it is valid after <see cref="RenewTime"/>, in whole seconds, at least one; null if not specified.</summary>
    public TimeSpan? Duration { get; init; }

    /// <summary>When its holder acquired it, with microseconds.</summary>
    public DateTimeOffset? AcquireTime { get; init; }

    /// <summary>When its holder last renewed it, with microseconds.</summary>
    public DateTimeOffset? RenewTime { get; init; }

    /// <summary>How often it changed hands.</summary>
    public int Transitions { get; init; }

    /// <summary>Its labels.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>Its annotations.</summary>
    public IReadOnlyDictionary<string, string> Annotations { get; init; } = new Dictionary<string, string>();
}
