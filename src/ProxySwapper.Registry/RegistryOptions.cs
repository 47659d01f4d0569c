namespace ProxySwapper.Registry;

/// <summary>How to connect to registries: general settings and those of single hosts.</summary>
public sealed record RegistryOptions
{
    /// <summary>Settings of single hosts, by name (<c>docker.io</c>, <c>localhost:5000</c>).</summary>
    public IReadOnlyDictionary<RegistryName, RegistryHostOptions> Hosts { get; init; } =
        new Dictionary<RegistryName, RegistryHostOptions>();

    /// <summary>Retries of a failed request. Default 5.</summary>
    public int MaxRetries { get; init; } = 5;

    /// <summary>The first pause before a retry; it doubles, with jitter. Default 500 ms.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>The longest pause, even if a registry's Retry-After asks for more. Default 60 s.</summary>
    public TimeSpan MaxRetryDelay { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long a registry may take to send response headers. Default 30 s.</summary>
    public TimeSpan ResponseTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a stream may stall before it counts as broken. Default 60 s.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// The minimum throughput of a blob or manifest in bytes per second, averaged over the time spent waiting for it, once that exceeds
    /// <see cref="StallTimeout"/>; 0 for none. Default 16 KiB. It applies per blob: each of several that share a slow line must reach it.
    /// </summary>
    public long MinThroughput { get; init; } = 16 * 1024;

    /// <summary>
    /// Size limit of a manifest, in bytes. Default 4 MiB, which registries must accept at least, and most accept at most
    /// (<see href="https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-manifests">distribution-spec, Pushing
    /// Manifests</see>).
    /// </summary>
    public int MaxManifestSize { get; init; } = 4 * 1024 * 1024;

    /// <summary>The User-Agent header.</summary>
    public string UserAgent { get; init; } = "proxyswapper";

    /// <summary>The settings of a host, or the defaults.</summary>
    public RegistryHostOptions For(RegistryName host) => Hosts.TryGetValue(host, out var options) ? options : new RegistryHostOptions();
}
