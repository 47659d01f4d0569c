using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using ProxySwapper.Registry;

namespace ProxySwapper.Kubernetes.Connection;

/// <summary>
/// The HTTP connections to the API server. They are recreated when the CA file or the client certificate changes, so that a rotated
/// authority needs no restart; while the file cannot be read, the previous authorities stay.
/// </summary>
internal sealed partial class KubernetesTransport(KubernetesConnection connection, TimeProvider time, ILogger? logger) : IDisposable
{
    private static readonly TimeSpan ReadAgainAfter = TimeSpan.FromMinutes(1);

    private readonly SemaphoreSlim _making = new(1, 1);
    private HttpMessageInvoker? _current;
    private X509Certificate2? _clientCertificate;
    private string? _authorities;
    private bool _isKept;
    private long _readAt;

    /// <summary>Connections that present this certificate. Earlier ones stay usable until they are idle.</summary>
    public async ValueTask<HttpMessageInvoker> GetAsync(X509Certificate2? clientCertificate, CancellationToken cancellationToken)
    {
        await _making.WaitAsync(cancellationToken);
        try
        {
            if (
                _current is not null
                && ReferenceEquals(clientCertificate, _clientCertificate)
                && time.GetElapsedTime(_readAt) < ReadAgainAfter
            )
                return _current;
            var authorities = ReadAuthorities();
            if (_current is not null && ReferenceEquals(clientCertificate, _clientCertificate) && authorities == _authorities)
                return _current;
            (_clientCertificate, _authorities) = (clientCertificate, authorities);
            return _current = new HttpMessageInvoker(Handler(clientCertificate, authorities));
        }
        finally
        {
            _making.Release();
        }
    }

    public void Dispose()
    {
        _current?.Dispose();
        _making.Dispose();
    }

    /// <summary>The authorities in their file or, while there are none that can be used, those that were read before.</summary>
    private string? ReadAuthorities()
    {
        try
        {
            var authorities = connection.CertificateAuthorities?.Read();
            if (authorities is not null && authorities != _authorities && CertificateAuthorities.Validate(authorities) is { } fault)
                throw new KubernetesConnectionException($"{connection.CertificateAuthorities}: {fault}");
            (_readAt, _isKept) = (time.GetTimestamp(), false);
            return authorities;
        }
        catch (KubernetesConnectionException problem) when (_current is not null)
        {
            // The mount is being replaced, or the file written. It is read again with the next request.
            if (!_isKept && logger is not null)
                Log.Kept(logger, problem.Message);
            _isKept = true;
            return _authorities;
        }
    }

    private SocketsHttpHandler Handler(X509Certificate2? clientCertificate, string? authorities)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            ConnectTimeout = TimeSpan.FromSeconds(10),
            ConnectCallback = ConnectAsync,
            PooledConnectionIdleTimeout = TimeSpan.FromMinutes(1),
            PooledConnectionLifetime = TimeSpan.FromMinutes(10),
            MaxResponseHeadersLength = 64,
            UseProxy = connection.Proxy is not null || connection.UsesEnvironmentProxy,
        };
        if (connection.Proxy is { } proxy)
            // The address alone, since .NET names it in errors.
            handler.Proxy = new WebProxy(UserInfo.Remove(proxy)) { Credentials = UserInfo.CredentialOf(proxy) };
        if (clientCertificate is not null)
            handler.SslOptions.ClientCertificates = [clientCertificate];
        if (authorities is not null)
            handler.SslOptions.CertificateChainPolicy = CertificateAuthorities.Trusting(authorities);
        // The kubeconfig sets insecure-skip-tls-verify, which kubectl honours too.
        if (connection.InsecureSkipTlsVerify)
            handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null;
        return handler;
    }

    /// <summary>
    /// A connection with keep-alive probes: a watch can be silent for minutes, and a crashed server would otherwise go unnoticed. The
    /// system closes it half a minute after the last response.
    /// </summary>
    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 15);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 5);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 3);
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "Keeping the current certificate authorities of the API server: {Error}")]
        public static partial void Kept(ILogger logger, string error);
    }
}
