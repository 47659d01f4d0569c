using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests.Floods;

/// <summary>Malicious connections to the webhook, kept open until the end.</summary>
/// <param name="webhook">The webhook.</param>
/// <param name="address">The address of the attacker; null for that of everybody on this machine.</param>
internal sealed class Flood(ProxySwapperProcess webhook, IPAddress? address = null) : IAsyncDisposable
{
    /// <summary>As many parallel TLS handshakes as one or two processors can do.</summary>
    public const int Parallel = 8;

    private static readonly byte[] Part = new byte[16 * 1024];
    private static readonly byte[] Review = Encoding.UTF8.GetBytes(ReviewSamples.Create("nginx"));

    private readonly List<IAsyncDisposable> _held = [];

    private readonly List<Task> _openings = [];
    private readonly CancellationTokenSource _end = new();
    private long _opened;
    private long _sent;

    /// <summary>The connections with TLS that the webhook has accepted.</summary>
    public long Opened => Interlocked.Read(ref _opened);

    /// <summary>The bytes of frames that the webhook, or its socket, has taken after the preface.</summary>
    public long Sent => Interlocked.Read(ref _sent);

    public static Flood Of(ProxySwapperProcess webhook, IPAddress? address = null) => new(webhook, address);

    /// <summary>Opens connections in the given way; the webhook may close some of them.</summary>
    public Task OpenAsync(int count, Func<Flood, int, Task> open) => OpenAsync(count, open, _end.Token);

    /// <summary>The same for some time: a new connection for each that the webhook has closed or that has sent all it has.</summary>
    /// <param name="time">How long; not longer than it takes to open <paramref name="most"/> connections.</param>
    /// <param name="most">The largest number of connections.</param>
    /// <param name="open">Opens one.</param>
    public async Task OpenForAsync(TimeSpan time, int most, Func<Flood, int, Task> open)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(_end.Token);
        over.CancelAfter(time);
        try
        {
            await OpenAsync(most, open, over.Token);
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested)
        {
            // The time is over. Any other failure is the attacker's own, and nothing was attacked.
        }
    }

    private Task OpenAsync(int count, Func<Flood, int, Task> open, CancellationToken cancellationToken)
    {
        var opening = System.Threading.Tasks.Parallel.ForAsync(
            0,
            count,
            new ParallelOptions { MaxDegreeOfParallelism = Parallel, CancellationToken = cancellationToken },
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
        Interlocked.Increment(ref _opened);
        lock (_held)
            _held.Add(stream);
        return stream;
    }

    /// <summary>A connection with TLS that has sent a valid review and read the response.</summary>
    public async Task<SslStream> ProveAsync(SslApplicationProtocol protocol)
    {
        var stream = await SecureAsync(protocol);
        if (protocol == SslApplicationProtocol.Http2)
        {
            await stream.WriteAsync((byte[])[.. Http2Frames.Preface(), .. Http2Frames.Request(1), .. Http2Frames.Body(1, Review, true)]);
            await Http2Frames.ReadResponseAsync(stream, 1);
            return stream;
        }
        await stream.WriteAsync((byte[])[.. Head(Review.Length), .. Review]);
        var (response, read) = (new byte[4096], 0);
        // A response ends with the closing braces of a review.
        while (read < 2 || response[read - 1] != '}')
            read += await stream.ReadAsync(response.AsMemory(read)) is > 0 and var more ? more : throw new EndOfStreamException();
        return stream;
    }

    /// <summary>Half of a review's body.</summary>
    /// <param name="stream">A connection with TLS.</param>
    /// <param name="size">The size of the whole body, in bytes.</param>
    public static async Task SendHalfBodyAsync(Stream stream, int size)
    {
        await stream.WriteAsync(Head(size));
        using var time = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        for (var sent = 0; sent < size / 2; sent += Part.Length)
            await stream.WriteAsync(Part.AsMemory(0, Math.Min(Part.Length, (size / 2) - sent)), time.Token);
    }

    /// <summary>A connection with TLS and half of a review's body.</summary>
    /// <param name="size">The size of the whole body, in bytes.</param>
    public async Task SendHalfBodyAsync(int size) => await SendHalfBodyAsync(await SecureAsync(SslApplicationProtocol.Http11), size);

    /// <summary>A connection with HTTP/2 on which many frames arrive, as long as the webhook takes them.</summary>
    /// <param name="rounds">How many times frames are sent.</param>
    /// <param name="frames">The frames of a round.</param>
    /// <param name="pause">The time between two rounds.</param>
    /// <param name="settings">Identifiers and values.</param>
    public async Task SendFramesAsync(int rounds, Func<int, byte[]> frames, TimeSpan pause, params (ushort, uint)[] settings)
    {
        var stream = await SecureAsync(SslApplicationProtocol.Http2);
        await stream.WriteAsync(Http2Frames.Preface(settings));
        await SendFramesAsync(stream, Enumerable.Range(0, rounds), frames, pause);
    }

    /// <summary>The same after a valid review, whose stream counts for the first round.</summary>
    /// <param name="rounds">How many times frames are sent.</param>
    /// <param name="frames">The frames of a round.</param>
    /// <param name="pause">The time between two rounds.</param>
    /// <param name="settings">Identifiers and values.</param>
    public async Task SendFramesAfterReviewAsync(int rounds, Func<int, byte[]> frames, TimeSpan pause, params (ushort, uint)[] settings)
    {
        var stream = await ProveAsync(SslApplicationProtocol.Http2);
        await stream.WriteAsync(Http2Frames.Change(settings));
        await SendFramesAsync(stream, Enumerable.Range(1, rounds), frames, pause);
    }

    private async Task SendFramesAsync(Stream stream, IEnumerable<int> rounds, Func<int, byte[]> frames, TimeSpan pause)
    {
        using var time = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        try
        {
            foreach (var round in rounds)
            {
                var part = frames(round);
                await stream.WriteAsync(part, time.Token);
                Interlocked.Add(ref _sent, part.Length);
                if (pause > TimeSpan.Zero)
                    await Task.Delay(pause, TimeProvider.System, time.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The server stops reading, which is a valid defence.
        }
    }

    private static byte[] Head(int size) =>
        Encoding.ASCII.GetBytes(
            $"POST /mutate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n\r\n"
        );

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await Task.WhenAll(_openings).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _end.Dispose();
        foreach (var stream in _held)
            await stream.DisposeAsync();
    }
}
