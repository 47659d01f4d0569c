using System.Net.Security;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using ProxySwapper.Registry.Timing;

namespace ProxySwapper.Registry.Transport;

/// <summary>What is known of one host, and shared by all its clients: its address, limits and rate limit.</summary>
internal sealed class RegistryHost
{
    private readonly RegistryHostOptions _options;
    private readonly TimeProvider _time;
    private readonly string _authority;
    private readonly TimeSpan _probeLimit;
    private Uri? _address;

    public RegistryHost(string name, RegistryOptions options, ConnectionPool connections, TimeProvider time, ILoggerFactory loggers)
    {
        (Name, _options, _time) = (name, options.For(name), time);
        _probeLimit = options.ResponseTimeout / 6;
        _authority = RegistryName.TryParse(name, out var registry) ? registry.ApiAuthority : name;
        Sender = new RedirectingSender(connections, options, _options, new Uri($"https://{_authority}/").IdnHost, time);
        ReadLimiter = new AdaptiveConcurrencyLimiter(Math.Max(1, _options.MaxConcurrency), time);
        WriteLimiter = new AdaptiveConcurrencyLimiter(Math.Max(1, _options.MaxConcurrency), time);
        RateLimiter = _options.RequestsPerSecond is > 0 and { } perSecond ? new RequestRateLimiter(perSecond, time) : null;
        RateLimit = new RateLimitTracker(name, time, loggers);
    }

    /// <summary>The host as references write it.</summary>
    public string Name { get; }

    public RedirectingSender Sender { get; }

    public AdaptiveConcurrencyLimiter ReadLimiter { get; }

    public AdaptiveConcurrencyLimiter WriteLimiter { get; }

    public RequestRateLimiter? RateLimiter { get; }

    public RateLimitTracker RateLimit { get; }

    /// <summary>Locks for what changes the same thing at this host.</summary>
    public KeyedLock Locks { get; } = new();

    /// <summary>The largest body that the host is sent; null while it has taken everything.</summary>
    public long? ChunkSize { get; set; }

    /// <summary>The host refuses a blob in one PUT, whatever its size, and takes it in chunks.</summary>
    public bool RequiresChunks { get; set; }

    /// <summary>Where <c>/v2/</c> lies, once that was found out.</summary>
    public Uri? KnownAddress => _address;

    /// <summary>Where <c>/v2/</c> lies.</summary>
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
        return await SpeaksTlsAsync(plain, cancellationToken) switch
        {
            true => _address = encrypted,
            false => _address = plain,
            // Nobody is there: the request will say so, and the next one asks again.
            null => plain,
        };
    }

    /// <summary>
    /// Whether a server begins a TLS handshake; its certificate is for the requests to judge. Null when there is no server.
    /// </summary>
    private async Task<bool?> SpeaksTlsAsync(Uri address, CancellationToken cancellationToken)
    {
        using var timeout = new OperationTimeout(_probeLimit, _time, cancellationToken);
        using var connection = new TcpClient();
        try
        {
            await connection.ConnectAsync(address.DnsSafeHost, address.Port, timeout.Token);
            await using var tls = new SslStream(connection.GetStream(), false, (_, certificate, _, _) => certificate is not null);
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = address.IdnHost }, timeout.Token);
            return true;
        }
        catch (SocketException)
        {
            return null;
        }
        catch (Exception fault) when (fault is IOException or System.Security.Authentication.AuthenticationException || timeout.HasPassed)
        {
            return false;
        }
    }
}
