namespace ProxySwapper.Mirroring;

/// <summary>The command line's settings for a run.</summary>
internal sealed record MirrorSettings
{
    /// <summary>How many repositories are checked, and images copied, in parallel.</summary>
    public int Parallel { get; init; } = 4;
    public MirrorShard Shard { get; init; } = MirrorShard.All;

    /// <summary>How long the planning of an image and each copy may take; waits for pull limits do not count.</summary>
    public TimeSpan CopyTimeout { get; init; } = TimeSpan.FromHours(4);
    public bool DryRun { get; init; }
    public bool ExitOnError { get; init; }
    public RateLimitAction OnRateLimit { get; init; } = RateLimitAction.Wait;
}

/// <summary>What to do at a registry's pull limit.</summary>
internal enum RateLimitAction
{
    /// <summary>Waits as long as the registry says.</summary>
    Wait,

    /// <summary>Leaves that registry's images to the next run.</summary>
    Stop,
}
