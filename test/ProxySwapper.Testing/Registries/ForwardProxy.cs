using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ProxySwapper.Testing.Registries;

/// <summary>
/// An HTTP proxy that knows one server under every name: it opens a tunnel there for <c>CONNECT</c>, and hands all else over as it came.
/// </summary>
public sealed class ForwardProxy : IAsyncDisposable
{
    private const int MaxHead = 64 * 1024;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly IPEndPoint _server;
    private readonly Task _accepting;

    /// <param name="server">The server's address and port.</param>
    public ForwardProxy(string server)
    {
        _server = IPEndPoint.Parse(server);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>As a variable of the environment names it.</summary>
    public string Url => $"http://{_listener.LocalEndpoint}";

    /// <summary>The first line of each connection, without the protocol's version.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _accepting;
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        List<Task> connections = [];
        try
        {
            while (true)
                connections.Add(CarryAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
        }
        catch (OperationCanceledException) { }
        await Task.WhenAll(connections);
    }

    private async Task CarryAsync(TcpClient client)
    {
        using var near = client;
        using var far = new TcpClient();
        try
        {
            var head = await ReadHeadAsync(near.GetStream());
            var line = Encoding.ASCII.GetString(head).Split("\r\n")[0];
            Requests.Enqueue(line[..line.LastIndexOf(' ')]);
            await far.ConnectAsync(_server, _stop.Token);
            if (line.StartsWith("CONNECT ", StringComparison.Ordinal))
                await near.GetStream().WriteAsync("HTTP/1.1 200 OK\r\n\r\n"u8.ToArray(), _stop.Token);
            else
                await far.GetStream().WriteAsync(head, _stop.Token);
            await Task.WhenAny(
                near.GetStream().CopyToAsync(far.GetStream(), _stop.Token),
                far.GetStream().CopyToAsync(near.GetStream(), _stop.Token)
            );
        }
        catch (Exception fault) when (fault is IOException or SocketException or OperationCanceledException) { }
    }

    private async Task<byte[]> ReadHeadAsync(NetworkStream stream)
    {
        var (head, length) = (new byte[MaxHead], 0);
        while (!head.AsSpan(0, length).EndsWith("\r\n\r\n"u8))
        {
            var read = await stream.ReadAsync(head.AsMemory(length), _stop.Token);
            length = read > 0 ? length + read : throw new IOException("The connection ended within a head.");
        }
        return head[..length];
    }
}
