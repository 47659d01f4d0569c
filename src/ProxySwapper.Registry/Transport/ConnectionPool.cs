using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;

namespace ProxySwapper.Registry.Transport;

/// <summary>
/// The connections, pooled by host settings. HTTP/1.1 only: over one HTTP/2 connection, blob streams share one flow control. Redirects are
/// not followed, cookies not kept, nothing is decompressed, and no trace context is sent to third parties. Link-local addresses are never
/// connected to, whatever name resolves to them.
/// </summary>
/// <param name="resolve">Resolves a host name; null for the system's resolver.</param>
internal sealed class ConnectionPool(Func<string, CancellationToken, Task<IPAddress[]>>? resolve = null) : IDisposable
{
    private readonly Func<string, CancellationToken, Task<IPAddress[]>> _resolve = resolve ?? Dns.GetHostAddressesAsync;

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

    private HttpMessageInvoker Create(ConnectionKind kind)
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
                AutomaticDecompression = DecompressionMethods.None,
                ActivityHeadersPropagator = null,
                UseProxy = !kind.IsLoopback,
                ConnectTimeout = TimeSpan.FromSeconds(15),
                ConnectCallback = ConnectAsync,
                PooledConnectionLifetime = TimeSpan.FromMinutes(10),
                PooledConnectionIdleTimeout = TimeSpan.FromSeconds(60),
                MaxResponseHeadersLength = 64,
                SslOptions = tls,
            }
        );
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var (host, port) = (context.DnsEndPoint.Host, context.DnsEndPoint.Port);
        var addresses = IPAddress.TryParse(host, out var literal) ? [literal] : await _resolve(host, cancellationToken);
        // A proxy is configured by the operator, unlike the names in images, challenges and redirects. Endpoints have names in Punycode.
        if (context.InitialRequestMessage.RequestUri?.IdnHost.Equals(host, StringComparison.OrdinalIgnoreCase) == true)
        {
            var found = addresses;
            addresses = [.. found.Where(address => !MetadataAddress.IsMatch(address))];
            if (addresses.Length == 0 && found is [var blocked, ..])
                throw new MetadataAddressException(
                    $"{host} has the link-local or cloud metadata address {blocked}: connections to it are not allowed"
                );
        }
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private readonly record struct ConnectionKind(string? CaFile, bool SkipTlsVerify, bool IsLoopback);
}
