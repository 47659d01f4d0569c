using Microsoft.Extensions.Logging;

namespace ProxySwapper.Registry.Transport;

/// <summary>The state of one host shared by all its clients: its address, limits and rate limit.</summary>
internal sealed class RegistryHost
{
    private readonly RegistryHostOptions _options;
    private readonly TimeProvider _time;
    private readonly string _authority;
    private readonly TimeSpan _probeLimit;
    private Uri? _address;

    public RegistryHost(RegistryName name, RegistryOptions options, ConnectionPool connections, TimeProvider time, ILoggerFactory loggers)
    {
        (Name, _options, _time, UsedAt) = (name, options.For(name), time, time.GetTimestamp());
        _probeLimit = options.ResponseTimeout / 6;
        _authority = name.ApiAuthority;
        if (RegistryName.ValidateLimits(name.Text) is { } fault)
            throw new FormatException(fault);
        if (!Uri.TryCreate($"https://{_authority}/", UriKind.Absolute, out var address))
            throw new FormatException($"'{name}' is not a registry host");
        Sender = new RedirectingSender(connections, options, _options, address.IdnHost, time);
        ReadLimiter = new AdaptiveConcurrencyLimiter(Math.Max(1, _options.MaxConcurrency), time);
        WriteLimiter = new AdaptiveConcurrencyLimiter(Math.Max(1, _options.MaxConcurrency), time);
        RateLimiter = _options.RequestsPerSecond is > 0 and { } perSecond ? new RequestRateLimiter(perSecond, time) : null;
        RateLimit = new RateLimitTracker(name, time, loggers);
    }

    /// <summary>The registry's name.</summary>
    public RegistryName Name { get; }

    public RedirectingSender Sender { get; }

    public AdaptiveConcurrencyLimiter ReadLimiter { get; }

    public AdaptiveConcurrencyLimiter WriteLimiter { get; }

    public RequestRateLimiter? RateLimiter { get; }

    public RateLimitTracker RateLimit { get; }

    /// <summary>The timestamp of the last request, or of the last client that was created.</summary>
    public long UsedAt { get; set; }

    /// <summary>True if no request is in progress, nor waits for its turn.</summary>
    public bool IsIdle => ReadLimiter.IsIdle && WriteLimiter.IsIdle;

    /// <summary>Locks for concurrent changes to the same content at this host.</summary>
    public KeyedLock Locks { get; } = new();

    /// <summary>True once the host has found a manifest by HEAD: then its 404 means that there is none.</summary>
    public bool RespondsToHead { get; set; }

    /// <summary>True once the host has shown that it has the referrers API: then it needs no fallback tags.</summary>
    public bool HasReferrersApi { get; set; }

    /// <summary>The maximum body size for the host; null until it has rejected one.</summary>
    public long? ChunkSize { get; set; }

    /// <summary>True if the host rejects single PUTs of any size but accepts chunks.</summary>
    public bool RequiresChunks { get; set; }

    /// <summary>The base URL of <c>/v2/</c>, once known.</summary>
    public Uri? KnownAddress => _address;

    /// <summary>The base URL of <c>/v2/</c>.</summary>
    public ValueTask<Uri> AddressAsync(CancellationToken cancellationToken) =>
        _address is { } known ? new(known) : new(FindAddressAsync(cancellationToken));

    private async Task<Uri> FindAddressAsync(CancellationToken cancellationToken)
    {
        if (_options.PlainHttp)
            return _address = new Uri($"http://{_authority}/");
        var encrypted = new Uri($"https://{_authority}/");
        if (!encrypted.IsLoopback || _options.CaFile is not null || _options.InsecureSkipTlsVerify)
            return _address = encrypted;
        using var probing = await Locks.EnterAsync("address", cancellationToken);
        if (_address is { } found)
            return found;
        var plain = new Uri($"http://{_authority}/");
        return await new LocalServerProbe(plain, _probeLimit, _time).RunAsync(cancellationToken) switch
        {
            ServerProtocol.Https => _address = encrypted,
            ServerProtocol.Http => _address = plain,
            // The request will fail, and the next one probes again.
            ServerProtocol.None => plain,
            _ => encrypted,
        };
    }
}
