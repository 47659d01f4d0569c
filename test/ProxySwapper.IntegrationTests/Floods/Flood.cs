using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests.Floods;

/// <summary>Malicious connections to the webhook, kept open until the end.</summary>
internal sealed class Flood(ProxySwapperProcess webhook) : IAsyncDisposable
{
    /// <summary>As many parallel TLS handshakes as one or two processors can do.</summary>
    private const int Parallel = 16;

    private readonly List<IAsyncDisposable> _held = [];

    public static Flood Of(ProxySwapperProcess webhook) => new(webhook);

    /// <summary>Opens connections in the given way; the webhook may close some of them.</summary>
    public Task OpenAsync(int count, Func<Flood, int, Task> open) =>
        System.Threading.Tasks.Parallel.ForAsync(
            0,
            count,
            new ParallelOptions { MaxDegreeOfParallelism = Parallel },
            async (number, _) =>
            {
                try
                {
                    await open(this, number);
                }
                catch (Exception exception)
                    when (exception is IOException or SocketException or System.Security.Authentication.AuthenticationException)
                {
                    // Closed while it was being opened, which is fine.
                }
            }
        );

    /// <summary>A TCP connection.</summary>
    public async Task<NetworkStream> ConnectAsync()
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync("localhost", webhook.Port);
        var stream = new NetworkStream(socket, ownsSocket: true);
        lock (_held)
            _held.Add(stream);
        return stream;
    }

    /// <summary>A connection with TLS.</summary>
    public async Task<SslStream> SecureAsync(SslApplicationProtocol protocol)
    {
        var stream = new SslStream(
            await ConnectAsync(),
            leaveInnerStreamOpen: false,
            (_, shown, _, _) => webhook.Certificates.HasSigned(shown as X509Certificate2)
        );
        await stream.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions { TargetHost = "localhost", ApplicationProtocols = [protocol] }
        );
        lock (_held)
            _held.Add(stream);
        return stream;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var stream in _held)
            await stream.DisposeAsync();
    }
}
