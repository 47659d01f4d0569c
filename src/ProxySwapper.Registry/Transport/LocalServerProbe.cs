using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using ProxySwapper.Registry.Timing;

namespace ProxySwapper.Registry.Transport;

/// <summary>The protocol of a local server, as far as its responses show.</summary>
internal enum ServerProtocol
{
    /// <summary>Nobody listens.</summary>
    None,

    /// <summary>It did not respond, or its responses can be those of both.</summary>
    Unknown,
    Http,
    Https,
}

/// <summary>
/// Finds out whether a local server expects TLS, with nothing of ours in the requests. Only a response counts: a server that is slow, or
/// that closes the connection because it is starting, does not show its protocol.
/// </summary>
/// <param name="address">The server's URL.</param>
/// <param name="limit">How long to wait for each of the two responses.</param>
/// <param name="time">The clock.</param>
internal sealed class LocalServerProbe(Uri address, TimeSpan limit, TimeProvider time)
{
    /// <summary>The types of TLS records, the first byte of each (RFC 8446 §5.1).</summary>
    private const byte FirstRecordType = 20;
    private const byte LastRecordType = 24;

    private const string StatusLine = "HTTP/1.1 200";

    /// <exception cref="OperationCanceledException">The caller has stopped waiting.</exception>
    public async Task<ServerProtocol> RunAsync(CancellationToken cancellationToken)
    {
        using var timeout = new OperationTimeout(limit, time, cancellationToken);
        using var connection = new TcpClient();
        FirstByteStream? stream = null;
        try
        {
            await connection.ConnectAsync(address.DnsSafeHost, address.Port, timeout.Token);
            stream = new FirstByteStream(connection.GetStream());
            // The requests that follow validate the certificate.
            await using var tls = new SslStream(stream, false, (_, certificate, _, _) => certificate is not null);
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = address.IdnHost }, timeout.Token);
            return ServerProtocol.Https;
        }
        catch (SocketException) when (stream is null)
        {
            return ServerProtocol.None;
        }
        catch (Exception fault) when (fault is IOException or AuthenticationException || timeout.HasPassed)
        {
            return stream?.First switch
            {
                null => await ProbeHttpAsync(cancellationToken),
                >= FirstRecordType and <= LastRecordType => ServerProtocol.Https,
                _ => ServerProtocol.Http,
            };
        }
    }

    /// <summary>
    /// Sends a request by plain HTTP. Servers that expect TLS respond with 400, if at all; some that do not keep waiting for
    /// the end of a line when a TLS handshake is sent to them.
    /// </summary>
    private async Task<ServerProtocol> ProbeHttpAsync(CancellationToken cancellationToken)
    {
        using var timeout = new OperationTimeout(limit, time, cancellationToken);
        using var connection = new TcpClient();
        try
        {
            await connection.ConnectAsync(address.DnsSafeHost, address.Port, timeout.Token);
            var stream = connection.GetStream();
            var request = $"GET /v2/ HTTP/1.1\r\nHost: {address.Authority}\r\nConnection: close\r\n\r\n";
            await stream.WriteAsync(Encoding.ASCII.GetBytes(request), timeout.Token);
            var response = new byte[StatusLine.Length];
            var length = await stream.ReadAtLeastAsync(response, response.Length, throwOnEndOfStream: false, timeout.Token);
            var text = Encoding.Latin1.GetString(response, 0, length);
            return text.StartsWith("HTTP/1.", StringComparison.Ordinal) && !text.EndsWith(" 400", StringComparison.Ordinal)
                ? ServerProtocol.Http
                : ServerProtocol.Unknown;
        }
        catch (Exception fault) when (fault is IOException or SocketException || timeout.HasPassed)
        {
            return ServerProtocol.Unknown;
        }
    }

    /// <summary>Remembers the first byte that was received.</summary>
    private sealed class FirstByteStream(NetworkStream inner) : ForwardOnlyStream
    {
        public byte? First { get; private set; }

        public override bool CanWrite => true;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            Remember(buffer, await inner.ReadAsync(buffer, cancellationToken));

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            inner.WriteAsync(buffer, cancellationToken);

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                inner.Dispose();
            base.Dispose(disposing);
        }

        private int Remember(ReadOnlyMemory<byte> buffer, int read)
        {
            if (read > 0)
                First ??= buffer.Span[0];
            return read;
        }
    }
}
