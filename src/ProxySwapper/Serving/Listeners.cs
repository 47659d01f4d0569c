using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;
using ProxySwapper.Admission;
using ProxySwapper.Configuration;

namespace ProxySwapper.Serving;

/// <summary>
/// The two ports: one with TLS for reviews, one without for probes and metrics. Memory per connection is limited here, for clients that
/// send much and read little; the number of connections is limited by <see cref="ConnectionLimits"/>.
/// </summary>
/// <param name="options">The ports.</param>
/// <param name="limits">The connection limits.</param>
/// <param name="scope">Where to listen.</param>
/// <param name="certificate">The webhook's certificate; null if an admission policy rewrites images instead of the webhook.</param>
internal sealed class Listeners(
    ProxySwapperOptions options,
    ConnectionLimits limits,
    ServeScope scope,
    ServingCertificate? certificate = null
) : IConfigureOptions<KestrelServerOptions>, IConfigureOptions<SocketTransportOptions>
{
    /// <summary>No legitimate client is slower than this.</summary>
    private static readonly TimeSpan HandshakeTimeout = TimeSpan.FromSeconds(10);

    /// <summary>How long the requests on a closed connection may take to end; usually they do within milliseconds.</summary>
    private static readonly TimeSpan EndTime = TimeSpan.FromMilliseconds(250);

    /// <summary>Bytes per connection that may be buffered in each direction.</summary>
    private const int BufferSize = 64 * 1024;

    /// <summary>Concurrent requests per connection, at least 10 KB each; clients open more connections when needed.</summary>
    private const int MaximumStreams = 32;

    private static readonly List<SslApplicationProtocol> Protocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11];

    public void Configure(KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = RequestBodyReader.MaximumSize;
        // Bodies have an overall timeout; a minimum rate would abort them earlier.
        kestrel.Limits.MinRequestBodyDataRate = null;
        kestrel.Limits.RequestHeadersTimeout = HandshakeTimeout;
        // API servers send about ten, of which a token may be long.
        kestrel.Limits.MaxRequestHeadersTotalSize = 8 * 1024;
        kestrel.Limits.MaxRequestHeaderCount = 40;
        kestrel.Limits.MaxResponseBufferSize = BufferSize;
        kestrel.Limits.Http2.MaxStreamsPerConnection = MaximumStreams;
        kestrel.Limits.Http2.InitialStreamWindowSize = 2 * BufferSize;
        kestrel.Limits.Http2.InitialConnectionWindowSize = 8 * BufferSize;
        if (certificate is not null)
            Listen(kestrel, options.Port, listen => ConfigureWebhook(listen, certificate));
        Listen(kestrel, options.ManagementPort, ConfigureManagement);
    }

    public void Configure(SocketTransportOptions sockets)
    {
        // Sockets dispatch directly to the thread pool: queues in between would be one more hop that waits behind copies.
        sockets.IOQueueCount = 0;
        sockets.MaxReadBufferSize = BufferSize;
        sockets.MaxWriteBufferSize = BufferSize;
    }

    private void Listen(KestrelServerOptions kestrel, int port, Action<ListenOptions> configure)
    {
        if (scope.IsLocal)
            kestrel.Listen(IPAddress.Loopback, port, configure);
        else
            kestrel.ListenAnyIP(port, configure); // IPv6 and IPv4, or IPv4 only if there is no IPv6
    }

    private void ConfigureWebhook(ListenOptions listen, ServingCertificate served)
    {
        // Before TLS, so that unfinished handshakes count too.
        Limit(listen, limits.Webhook);
        listen.UseHttps(
            new TlsHandshakeCallbackOptions
            {
                HandshakeTimeout = HandshakeTimeout,
                OnConnection = handshake =>
                {
                    handshake.Connection.Features.Get<LimitedConnection>()?.MarkHandshaking();
                    return new(
                        new SslServerAuthenticationOptions
                        {
                            ServerCertificateContext = served.Context,
                            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
                            ApplicationProtocols = Protocols,
                        }
                    );
                },
            }
        );
        listen.Use(next =>
            connection =>
            {
                connection.Features.Get<LimitedConnection>()?.MarkSecured();
                return IsHttp2(connection) ? EndWithTransportAsync(connection, next(connection)) : next(connection);
            }
        );
    }

    /// <summary>
    /// Kestrel aborts a connection with HTTP/2 whose client sends very many requests and reads no responses, but some of these requests
    /// never end, and the connection and all its memory would wait for them (https://github.com/dotnet/aspnetcore/issues/51307).
    /// </summary>
    private static async Task EndWithTransportAsync(ConnectionContext connection, Task serving)
    {
        await serving.WaitAsync(connection.ConnectionClosed).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (await Task.WhenAny(serving, Task.Delay(EndTime, TimeProvider.System)) == serving)
            await serving;
    }

    /// <summary>With HTTP/1.1 requests always end, and read their bodies from the memory of the connection.</summary>
    private static bool IsHttp2(ConnectionContext connection) =>
        connection.Features.Get<ISslStreamFeature>()?.SslStream.NegotiatedApplicationProtocol == SslApplicationProtocol.Http2;

    private void ConfigureManagement(ListenOptions listen)
    {
        Limit(listen, limits.Management);
        listen.Protocols = HttpProtocols.Http1;
    }

    private static void Limit(ListenOptions listen, ConnectionLimiter limiter) =>
        listen.Use(next => connection => limiter.RunAsync(connection, next));
}

/// <summary>What a process listens on.</summary>
/// <param name="IsLocal">True to listen on the loopback address only, without a cluster.</param>
internal sealed record ServeScope(bool IsLocal);
