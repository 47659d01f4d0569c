using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;
using ProxySwapper.Admission;
using ProxySwapper.Configuration;

namespace ProxySwapper.Serving;

/// <summary>
/// The two ports: one with TLS for reviews, one without for probes and metrics. What a client that sends much and reads little makes the
/// process hold is bounded for each connection here, and the connections in <see cref="ConnectionLimits"/>.
/// </summary>
/// <param name="options">The ports.</param>
/// <param name="limits">How many connections.</param>
/// <param name="scope">Where to listen.</param>
/// <param name="certificate">The webhook's certificate; without one, where an admission policy does the swap, nobody posts reviews.</param>
internal sealed class Listeners(
    ProxySwapperOptions options,
    ConnectionLimits limits,
    ServeScope scope,
    ServingCertificate? certificate = null
) : IConfigureOptions<KestrelServerOptions>, IConfigureOptions<SocketTransportOptions>
{
    /// <summary>A client that is slower than this is none of ours.</summary>
    private static readonly TimeSpan HandshakeTimeout = TimeSpan.FromSeconds(10);

    /// <summary>What each connection may have sent without being read, and been sent without reading, in bytes.</summary>
    private const int BufferSize = 64 * 1024;

    /// <summary>Requests at once on a connection, at 10 KB each whatever they do; clients open more connections at need.</summary>
    private const int MaximumStreams = 32;

    private static readonly List<SslApplicationProtocol> Protocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11];

    public void Configure(KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = RequestBodyReader.MaximumSize;
        // A body has a time as a whole; a rate would end it sooner.
        kestrel.Limits.MinRequestBodyDataRate = null;
        kestrel.Limits.RequestHeadersTimeout = HandshakeTimeout;
        kestrel.Limits.MaxRequestHeadersTotalSize = 16 * 1024;
        kestrel.Limits.MaxResponseBufferSize = BufferSize;
        kestrel.Limits.Http2.MaxStreamsPerConnection = MaximumStreams;
        kestrel.Limits.Http2.InitialStreamWindowSize = 2 * BufferSize;
        kestrel.Limits.Http2.InitialConnectionWindowSize = 4 * BufferSize;
        if (certificate is not null)
            Listen(kestrel, options.Port, listen => ConfigureWebhook(listen, certificate));
        Listen(kestrel, options.ManagementPort, ConfigureManagement);
    }

    public void Configure(SocketTransportOptions sockets)
    {
        // What sockets bring goes to the thread pool at once: queues of their own between would be one more hop that waits behind copies.
        sockets.IOQueueCount = 0;
        sockets.MaxReadBufferSize = BufferSize;
        sockets.MaxWriteBufferSize = BufferSize;
    }

    private void Listen(KestrelServerOptions kestrel, int port, Action<ListenOptions> configure)
    {
        if (scope.IsLocal)
            kestrel.Listen(IPAddress.Loopback, port, configure);
        else
            kestrel.ListenAnyIP(port, configure); // IPv6 and IPv4, or IPv4 where there is no other
    }

    private void ConfigureWebhook(ListenOptions listen, ServingCertificate served)
    {
        // Before TLS: handshakes that do not end count too.
        Limit(listen, limits.Webhook);
        listen.UseHttps(
            new TlsHandshakeCallbackOptions
            {
                HandshakeTimeout = HandshakeTimeout,
                OnConnection = _ =>
                    new(
                        new SslServerAuthenticationOptions
                        {
                            ServerCertificateContext = served.Context,
                            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
                            ApplicationProtocols = Protocols,
                        }
                    ),
            }
        );
    }

    private void ConfigureManagement(ListenOptions listen)
    {
        Limit(listen, limits.Management);
        listen.Protocols = HttpProtocols.Http1;
    }

    private static void Limit(ListenOptions listen, ConnectionLimiter limiter) =>
        listen.Use(next => connection => limiter.RunAsync(connection, next));
}

/// <summary>What a process serves.</summary>
/// <param name="IsLocal">It listens on the loopback address alone, and has no cluster.</param>
internal sealed record ServeScope(bool IsLocal);
