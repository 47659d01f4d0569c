using ProxySwapper.Registry.Oci;

namespace ProxySwapper.Configuration;

/// <summary>The section <c>populate</c>.</summary>
internal sealed record PopulateOptions
{
    /// <summary>An image with more than this to move counts as large: together such images hold at most all workers but one.</summary>
    public const long LargeImageBytes = 1L << 30;

    public PopulatePolicy Policy { get; init; } = PopulatePolicy.Delayed;
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(3);
    public int MaxNumberOfParallelJobs { get; init; } = 2;
    public int MaxRetries { get; init; } = 10;
    public int QueueLimit { get; init; } = 1000;
    public IReadOnlyList<Platform> Platforms { get; init; } = [];
    public TimeSpan RecheckAfter { get; init; } = TimeSpan.FromHours(1);
    public TimeSpan ReconcileEvery { get; init; } = TimeSpan.FromMinutes(10);
    public bool PullSecrets { get; init; }
    public IReadOnlyList<ProxyCacheOptions> ProxyCaches { get; init; } = [];
}

internal enum PopulatePolicy
{
    None,
    Delayed,
    Immediate,
}

/// <summary>
/// One block of <c>populate.proxyCaches</c>, as the two populator plugins had it: an ECR proxy-cache path, or a pull-through cache to warm.
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
