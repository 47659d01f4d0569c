namespace ProxySwapper.Registry;

/// <summary>How to connect to one registry host.</summary>
public sealed record RegistryHostOptions
{
    /// <summary>
    /// Plain HTTP instead of TLS. Default false. <c>localhost</c>, <c>127.0.0.0/8</c> and <c>[::1]</c> are probed for TLS once and use
    /// plain HTTP if they do not support it.
    /// </summary>
    public bool PlainHttp { get; init; }

    /// <summary>A PEM file with certificate authorities trusted for this host in addition to the system's. Default none.</summary>
    public string? CaFile { get; init; }

    /// <summary>Accepts any certificate from this host. Default false.</summary>
    public bool InsecureSkipTlsVerify { get; init; }

    /// <summary>
    /// Limit of concurrent requests, separately for reads and writes (a copy within a host needs one of each). Default 8. With more than
    /// one, one is reserved for small requests, which blob streams cannot occupy.
    /// </summary>
    public int MaxConcurrency { get; init; } = 8;

    /// <summary>Requests started per second, or null for no limit. Default null.</summary>
    public double? RequestsPerSecond { get; init; }
}
