using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ProxySwapper.Testing.Inputs;

/// <summary>
/// A server whose responses are plausible or damaged at random: odd statuses and headers, bodies that are cut off, endless, of another type
/// or not what their length says, connections that end at any time. The same seed gives the same responses to the same requests.
/// </summary>
public sealed class HostileServer : IAsyncDisposable
{
    private const int MaximumHead = 64 * 1024;
    private const byte TlsHandshake = 22;

    /// <summary>More than any client should read of one response.</summary>
    private const int EndlessSize = 80 * 1024 * 1024;

    private static readonly byte[] Padding = Encoding.ASCII.GetBytes(new string(' ', 64 * 1024));

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly IReadOnlyList<string> _bodies;
    private readonly Task _accepting;
    private readonly Lock _gate = new();
    private Random _random = new(0);

    /// <param name="bodies">Plausible bodies; <c>SERVER</c> in them is replaced by the server's address.</param>
    public HostileServer(params string[] bodies)
    {
        _listener.Start();
        Address = _listener.LocalEndpoint.ToString()!;
        _bodies = [.. bodies.Select(body => body.Replace("SERVER", Address, StringComparison.Ordinal))];
        _accepting = AcceptAsync();
    }

    /// <summary>Host and port.</summary>
    public string Address { get; }

    /// <summary>Whether responses may be missing altogether, which costs the client a timeout.</summary>
    public bool MayHang { get; init; }

    /// <summary>The most bytes of an endless response that were received.</summary>
    public long MaximumReceived { get; private set; }

    /// <summary>Starts over with a seed.</summary>
    public void Reset(int seed)
    {
        lock (_gate)
            _random = new Random(seed);
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
            _ = RespondAsync(await _listener.AcceptTcpClientAsync(_stop.Token));
    }

    private async Task RespondAsync(TcpClient client)
    {
        using (client)
            try
            {
                var stream = client.GetStream();
                while (await ReadHeadAsync(stream) is { } head)
                    if (!await RespondAsync(stream, client, head))
                        return;
            }
            catch (Exception fault) when (fault is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
            {
                // The client has seen enough.
            }
    }

    private async Task<string?> ReadHeadAsync(NetworkStream stream)
    {
        var head = new StringBuilder();
        var buffer = new byte[1];
        while (head.Length < MaximumHead && await stream.ReadAsync(buffer, _stop.Token) > 0)
        {
            if (head.Length == 0 && buffer[0] == TlsHandshake)
            {
                // As servers without TLS respond, so that the client continues without.
                await WriteAsync(stream, "HTTP/1.1 400 Bad Request\r\n\r\n");
                return null;
            }
            head.Append((char)buffer[0]);
            if (buffer[0] == '\n' && head.Length >= 4 && head.ToString(head.Length - 4, 4) == "\r\n\r\n")
                return head.ToString();
        }
        return null;
    }

    /// <returns>False if the connection ends.</returns>
    private async Task<bool> RespondAsync(NetworkStream stream, TcpClient client, string head)
    {
        // The request decides too, so that concurrent requests do not change each other's responses much.
        int seed;
        lock (_gate)
            seed = _random.Next();
        var random = new Random(seed);
        if (head.Contains("Expect: 100-continue", StringComparison.OrdinalIgnoreCase) && random.Next(2) == 0)
            await stream.WriteAsync("HTTP/1.1 100 Continue\r\n\r\n"u8.ToArray(), _stop.Token);
        switch (random.Next(80))
        {
            case 0:
                client.LingerState = new LingerOption(true, 0);
                return false;
            case 1:
                await WriteAsync(stream, HostileResponse.Garbage(random));
                return false;
            case 2 when MayHang:
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, _stop.Token);
                return false;
        }
        var isHead = head.StartsWith("HEAD ", StringComparison.Ordinal);
        var response = new HostileResponse(random, _bodies, Address, isHead);
        await WriteAsync(stream, response.Head);
        if (response.IsEndless)
        {
            for (var sent = 0; sent < EndlessSize; sent += Padding.Length)
            {
                await stream.WriteAsync(Padding, _stop.Token);
                MaximumReceived = Math.Max(MaximumReceived, sent);
            }
            return false;
        }
        await stream.WriteAsync(response.Body, _stop.Token);
        return response.IsWhole;
    }

    private ValueTask WriteAsync(NetworkStream stream, string text) => stream.WriteAsync(Encoding.Latin1.GetBytes(text), _stop.Token);
}
