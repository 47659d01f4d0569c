namespace ProxySwapper.Mirroring;

/// <summary>How one pass runs, from the command line.</summary>
internal sealed record MirrorSettings
{
    /// <summary>Repositories looked at, and images copied, at once.</summary>
    public int Parallel { get; init; } = 4;
    public MirrorShard Shard { get; init; } = MirrorShard.Whole;
    public bool DryRun { get; init; }
    public bool ExitOnError { get; init; }
    public RateLimitAction OnRateLimit { get; init; } = RateLimitAction.Wait;
}

/// <summary>What is done when a registry grants no more pulls.</summary>
internal enum RateLimitAction
{
    /// <summary>Waits as long as the registry says, and goes on.</summary>
    Wait,

    /// <summary>Leaves what needs that registry to the next run.</summary>
    Stop,
}
