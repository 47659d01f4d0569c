using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests.Floods;

/// <summary>Malicious connections to the webhook, kept open until the end.</summary>
/// <param name="webhook">The webhook.</param>
/// <param name="address">The address of the attacker; null for that of everybody on this machine.</param>
internal sealed class Flood(ProxySwapperProcess webhook, IPAddress? address = null) : IAsyncDisposable
{
    /// <summary>As many parallel TLS handshakes as one or two processors can do.</summary>
    private const int Parallel = 8;

    private static readonly byte[] Part = new byte[16 * 1024];

    private readonly List<IAsyncDisposable> _held = [];

    private readonly List<Task> _openings = [];
    private readonly CancellationTokenSource _end = new();

    public static Flood Of(ProxySwapperProcess webhook, IPAddress? address = null) => new(webhook, address);

    /// <summary>Opens connections in the given way; the webhook may close some of them.</summary>
    public Task OpenAsync(int count, Func<Flood, int, Task> open)
    {
        var opening = System.Threading.Tasks.Parallel.ForAsync(
            0,
            count,
            new ParallelOptions { MaxDegreeOfParallelism = Parallel, CancellationToken = _end.Token },
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
        _openings.Add(opening);
        return opening;
    }

    /// <summary>A TCP connection.</summary>
    public async Task<NetworkStream> ConnectAsync()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        if (address is not null)
            socket.Bind(new IPEndPoint(address, 0));
        await socket.ConnectAsync(IPAddress.Loopback, webhook.Port);
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

    /// <summary>A connection with TLS and half of a review's body.</summary>
    /// <param name="size">The size of the whole body, in bytes.</param>
    public async Task SendHalfBodyAsync(int size)
    {
        var stream = await SecureAsync(SslApplicationProtocol.Http11);
        await stream.WriteAsync(
            Encoding.ASCII.GetBytes(
                $"POST /mutate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n\r\n"
            )
        );
        using var time = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        for (var sent = 0; sent < size / 2; sent += Part.Length)
            await stream.WriteAsync(Part.AsMemory(0, Math.Min(Part.Length, (size / 2) - sent)), time.Token);
    }

    /// <summary>A connection with HTTP/2 on which many frames arrive, as long as the webhook takes them.</summary>
    /// <param name="rounds">How many times frames are sent.</param>
    /// <param name="frames">The frames of a round.</param>
    /// <param name="pause">The time between two rounds.</param>
    /// <param name="settings">Identifiers and values.</param>
    public async Task SendFramesAsync(int rounds, Func<int, byte[]> frames, TimeSpan pause, params (ushort, uint)[] settings)
    {
        var stream = await SecureAsync(SslApplicationProtocol.Http2);
        await stream.WriteAsync(Http2Frames.Preface(settings));
        using var time = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        try
        {
            for (var round = 0; round < rounds; round++)
            {
                await stream.WriteAsync(frames(round), time.Token);
                if (pause > TimeSpan.Zero)
                    await Task.Delay(pause, TimeProvider.System, time.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The server stops reading, which is a valid defence.
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await Task.WhenAll(_openings).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _end.Dispose();
        foreach (var stream in _held)
            await stream.DisposeAsync();
    }
}
