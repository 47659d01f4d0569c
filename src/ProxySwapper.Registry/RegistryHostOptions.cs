namespace ProxySwapper.Registry;

/// <summary>How one registry host is reached.</summary>
public sealed record RegistryHostOptions
{
    /// <summary>
    /// Plain HTTP instead of TLS. Default false. <c>localhost</c>, <c>127.0.0.0/8</c> and <c>[::1]</c> are asked once whether they
    /// speak TLS, and reached by plain HTTP when they do not.
    /// </summary>
    public bool PlainHttp { get; init; }

    /// <summary>
    /// A PEM file with the certificate authorities that sign this host's certificate, besides the system's. Default none.
    /// </summary>
    public string? CaFile { get; init; }

    /// <summary>Takes any certificate from this host. Default false.</summary>
    public bool InsecureSkipTlsVerify { get; init; }

    /// <summary>
    /// Requests under way at once, of those that read and of those that write (a copy within a host needs one of each). Default 8.
    /// With more than one, a place is kept for small requests that streams of blobs can't take.
    /// </summary>
    public int MaxConcurrency { get; init; } = 8;

    /// <summary>Requests started per second, or null for no limit. Default null.</summary>
    public double? RequestsPerSecond { get; init; }
}
