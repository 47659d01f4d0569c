using System.Net;
using System.Net.Sockets;

namespace ProxySwapper.Testing.Registries;

/// <summary>Accepts connections on a free port of the loopback address and forwards each to one server.</summary>
internal abstract class TcpProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly IPEndPoint _server;
    private readonly Task _accepting;

    /// <param name="server">The server's address and port.</param>
    protected TcpProxy(string server)
    {
        _server = IPEndPoint.Parse(server);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>Host and port.</summary>
    public string Address => $"{_listener.LocalEndpoint}";

    /// <summary>Cancelled on disposal.</summary>
    protected CancellationToken Stopped => _stop.Token;

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _accepting;
        _listener.Dispose();
        _stop.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Forwards one connection until it ends.</summary>
    /// <param name="near">The client.</param>
    /// <param name="far">Not connected yet.</param>
    /// <param name="server">Where to connect to.</param>
    protected abstract Task RelayAsync(TcpClient near, TcpClient far, IPEndPoint server);

    private async Task AcceptAsync()
    {
        List<Task> connections = [];
        try
        {
            while (true)
                connections.Add(RelayAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
        }
        catch (OperationCanceledException) { }
        await Task.WhenAll(connections);
    }

    private async Task RelayAsync(TcpClient client)
    {
        using var near = client;
        using var far = new TcpClient();
        try
        {
            await RelayAsync(near, far, _server);
        }
        catch (Exception fault) when (fault is IOException or SocketException or OperationCanceledException) { }
    }
}
