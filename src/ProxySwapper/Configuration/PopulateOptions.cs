using ProxySwapper.Registry.Oci;

namespace ProxySwapper.Configuration;

/// <summary>The section <c>populate</c>.</summary>
internal sealed record PopulateOptions
{
    /// <summary>Images with more bytes to copy than this count as large; large images never occupy the last free worker.</summary>
    public const long LargeImageBytes = 1L << 30;

    public PopulatePolicy Policy { get; init; } = PopulatePolicy.Gate;
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>With fewer than 3, a namespace with slow images can hold half of the workers, and others take twice as long.</summary>
    public int MaxNumberOfParallelJobs { get; init; } = 4;

    public int MaxRetries { get; init; } = 10;
    public int QueueLimit { get; init; } = 1000;

    /// <summary>Limit of one attempt, whatever size the image claims; slow blobs are aborted long before.</summary>
    public TimeSpan CopyTimeout { get; init; } = TimeSpan.FromHours(4);
    public IReadOnlyList<Platform> Platforms { get; init; } = [];
    public TimeSpan RecheckAfter { get; init; } = TimeSpan.FromHours(1);
    public TimeSpan ReconcileEvery { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Whether Pod templates are looked at as well, at each reconciliation.</summary>
    public bool Backfill { get; init; }
    public bool PullSecrets { get; init; }
    public GateOptions Gate { get; init; } = new();
    public IReadOnlyList<ProxyCacheOptions> ProxyCaches { get; init; } = [];
}

internal enum PopulatePolicy
{
    None,

    /// <summary>The image is copied after the Pod is admitted; kubelet may pull too early.</summary>
    Delayed,

    /// <summary>The response waits for the copy, for a few seconds at most.</summary>
    Immediate,

    /// <summary>
    /// The Pod waits for the copy behind a scheduling gate. Where the API server does not support gates or we may not patch Pods, this
    /// behaves as <see cref="Delayed"/>.
    /// </summary>
    Gate,
}

/// <summary>The section <c>populate.gate</c>: Pods that wait until their images are downstream.</summary>
internal sealed record GateOptions
{
    /// <summary>How long a Pod waits at most.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>What happens to images that are not downstream by then.</summary>
    public GateFailurePolicy OnFailure { get; init; } = GateFailurePolicy.Restore;

    /// <summary>Schedulers that are known to respect scheduling gates.</summary>
    public IReadOnlyList<string> Schedulers { get; init; } = ["default-scheduler"];

    /// <summary>Whether Pods of Jobs are gated: the time counts towards a Job's <c>activeDeadlineSeconds</c>.</summary>
    public bool Jobs { get; init; } = true;

    /// <summary>Whether the Pod names the digest that was copied, so that a tag cannot move between copy and pull.</summary>
    public bool PinDigests { get; init; }
}

internal enum GateFailurePolicy
{
    /// <summary>The original images are restored, so that Pods start in any case.</summary>
    Restore,

    /// <summary>The images stay: kubelet pulls from downstream or not at all.</summary>
    Keep,
}

/// <summary>
/// One block of <c>populate.proxyCaches</c>, in the format of the two populator plugins: an ECR proxy-cache path, or a pull-through cache
/// to warm.
/// </summary>
internal sealed record ProxyCacheOptions
{
    public string? PatternEcrProxyCache { get; init; }
    public Platform? Platform { get; init; }
    public string? Region { get; init; }
    public string? RegexUrl { get; init; }
    public string? ReplacementOci { get; init; }
    public string? ReplacementArch { get; init; }
    public string TargetArch { get; init; } = "amd64";
    public string TargetOs { get; init; } = "linux";
}
