namespace ProxySwapper.Registry;

/// <summary>How registries are reached: what holds for all, and what one host needs.</summary>
public sealed record RegistryOptions
{
    /// <summary>Settings of single hosts, by <see cref="RegistryName.Text"/> (<c>docker.io</c>, <c>localhost:5000</c>).</summary>
    public IReadOnlyDictionary<string, RegistryHostOptions> Hosts { get; init; } = new Dictionary<string, RegistryHostOptions>();

    /// <summary>Tries again after the first failure of one request. Default 5.</summary>
    public int MaxRetries { get; init; } = 5;

    /// <summary>The first pause before a retry; it doubles, with jitter. Default 500 ms.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>The longest pause that is waited for, whatever a registry asks with Retry-After. Default 60 s.</summary>
    public TimeSpan MaxRetryDelay { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long a registry may take to respond with headers. Default 30 s.</summary>
    public TimeSpan ResponseTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a stream may stand still before it counts as broken. Default 60 s.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// The least bytes per second that a blob or manifest must move, on average over all the time that was spent waiting for it, once
    /// that is longer than <see cref="StallTimeout"/>; 0 for none. Default 16 KiB. It is per blob: several that share a slow line need
    /// it each.
    /// </summary>
    public long MinThroughput { get; init; } = 16 * 1024;

    /// <summary>
    /// The largest manifest that is read, in bytes. Default 4 MiB, which registries have to accept at least and most do at the most
    /// (<see href="https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-manifests">distribution-spec, Pushing
    /// Manifests</see>).
    /// </summary>
    public int MaxManifestSize { get; init; } = 4 * 1024 * 1024;

    /// <summary>The User-Agent header.</summary>
    public string UserAgent { get; init; } = "proxyswapper";

    /// <summary>The settings of a host, defaults when it has none of its own.</summary>
    public RegistryHostOptions For(string host) =>
        Hosts.TryGetValue(RegistryName.Normalize(host), out var options) ? options : new RegistryHostOptions();
}
