namespace ProxySwapper.Kubernetes;

/// <summary>Settings of a watch.</summary>
internal sealed record WatchOptions
{
    /// <summary>How long the server keeps one stream open; half a minute later, a silent one is closed.</summary>
    public TimeSpan StreamTimeout { get; init; } = TimeSpan.FromMinutes(4);

    /// <summary>How often everything is listed again even if the watch is fine: a server restored from a backup sends no events.</summary>
    public TimeSpan ListInterval { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How many events are buffered before the stream is dropped and everything is listed again.</summary>
    public int Capacity { get; init; } = 4096;

    /// <summary>The pause after the first failure; it doubles with each further one.</summary>
    public TimeSpan ShortestPause { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>The longest pause between two attempts.</summary>
    public TimeSpan LongestPause { get; init; } = TimeSpan.FromSeconds(15);
}
