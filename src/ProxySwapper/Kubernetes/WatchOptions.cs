namespace ProxySwapper.Kubernetes;

/// <summary>How a watch is held.</summary>
internal sealed record WatchOptions
{
    /// <summary>How long the server keeps one stream open; half a minute later a silent one is given up.</summary>
    public TimeSpan StreamTimeout { get; init; } = TimeSpan.FromMinutes(4);

    /// <summary>
    /// How often everything is listed again, whatever the watch says: a server that was restored from a backup stays silent.
    /// </summary>
    public TimeSpan ListInterval { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How many events wait for their reader before the stream is given up and listed anew.</summary>
    public int Capacity { get; init; } = 4096;

    /// <summary>The pause after the first failure; it doubles with each further one.</summary>
    public TimeSpan ShortestPause { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>The longest pause between two attempts.</summary>
    public TimeSpan LongestPause { get; init; } = TimeSpan.FromSeconds(15);
}
