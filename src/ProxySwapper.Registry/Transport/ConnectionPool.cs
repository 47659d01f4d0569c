using System.Collections.Concurrent;
using System.Net.Security;

namespace ProxySwapper.Registry.Transport;

/// <summary>
/// The connections, pooled by host settings. HTTP/1.1 only: over one HTTP/2 connection, blob streams share one flow control. Redirects are
/// not followed, cookies not kept, nothing is decompressed, and no trace context is sent to third parties.
/// </summary>
internal sealed class ConnectionPool : IDisposable
{
    private readonly ConcurrentDictionary<ConnectionKind, Lazy<HttpMessageInvoker>> _invokers = new();

    /// <summary>The handler for hosts with these settings.</summary>
    public HttpMessageInvoker For(RegistryHostOptions options, Uri address) =>
        _invokers
            .GetOrAdd(
                new ConnectionKind(options.CaFile, options.InsecureSkipTlsVerify, address.IsLoopback),
                kind => new(() => Create(kind))
            )
            .Value;

    public void Dispose()
    {
        foreach (var invoker in _invokers.Values)
            invoker.Value.Dispose();
    }

    private static HttpMessageInvoker Create(ConnectionKind kind)
    {
        var tls = new SslClientAuthenticationOptions();
        if (kind.SkipTlsVerify)
            tls.RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null;
        else if (kind.CaFile is { } file)
            tls.RemoteCertificateValidationCallback = new CustomCaValidator(file).Accept;
        return new HttpMessageInvoker(
            new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                UseCookies = false,
                AutomaticDecompression = System.Net.DecompressionMethods.None,
                ActivityHeadersPropagator = null,
                UseProxy = !kind.IsLoopback,
                ConnectTimeout = TimeSpan.FromSeconds(15),
                PooledConnectionLifetime = TimeSpan.FromMinutes(10),
                PooledConnectionIdleTimeout = TimeSpan.FromSeconds(60),
                MaxResponseHeadersLength = 64,
                SslOptions = tls,
            }
        );
    }

    private readonly record struct ConnectionKind(string? CaFile, bool SkipTlsVerify, bool IsLoopback);
}
