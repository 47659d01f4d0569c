namespace ProxySwapper.Registry;

/// <summary>How registries are reached: what holds for all, and what one host needs.</summary>
public sealed record RegistryOptions
{
    /// <summary>Settings of single hosts, by host as written in references (<c>docker.io</c>, <c>localhost:5000</c>).</summary>
    public IReadOnlyDictionary<string, RegistryHostOptions> Hosts { get; init; } = new Dictionary<string, RegistryHostOptions>();

    /// <summary>Tries again after the first failure of one request. Default 5.</summary>
    public int MaxRetries { get; init; } = 5;

    /// <summary>The first pause before a retry; it doubles, with jitter. Default 500 ms.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>The longest pause that is waited for, whatever a registry asks with Retry-After. Default 60 s.</summary>
    public TimeSpan MaxRetryDelay { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long a registry may take to answer with headers. Default 30 s.</summary>
    public TimeSpan ResponseTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a stream may stand still before it counts as broken. Default 60 s.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The largest manifest that is read, in bytes. Default 32 MiB.</summary>
    public int MaxManifestSize { get; init; } = 32 * 1024 * 1024;

    /// <summary>The User-Agent header.</summary>
    public string UserAgent { get; init; } = "proxyswapper";

    /// <summary>The settings of a host, defaults when it has none of its own.</summary>
    public RegistryHostOptions For(string host) => Hosts.TryGetValue(host, out var options) ? options : new RegistryHostOptions();
}
