using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;

namespace ProxySwapper.Benchmarks.Registry;

/// <summary>
/// A registry far away: every byte arrives half a round trip late in either direction, and the first one of a connection a whole round
/// trip later still, which a handshake takes on a real line. The line's capacity is not limited.
/// </summary>
internal sealed class DelayingProxy : IAsyncDisposable
{
    private const int PieceSize = 256 * 1024;
    private const int PiecesUnderWay = 256;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly IPEndPoint _target;
    private readonly TimeSpan _roundTrip;
    private readonly Task _accepting;

    public DelayingProxy(string target, TimeSpan roundTrip)
    {
        (_target, _roundTrip) = (IPEndPoint.Parse(target), roundTrip);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public string Address => $"{_listener.LocalEndpoint}";

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
        using var far = new TcpClient { NoDelay = true };
        near.NoDelay = true;
        try
        {
            await far.ConnectAsync(_target, _stop.Token);
            await Task.WhenAll(DelayAsync(near, far, _roundTrip), DelayAsync(far, near, TimeSpan.Zero));
        }
        catch (Exception fault) when (fault is IOException or SocketException or OperationCanceledException) { }
    }

    private async Task DelayAsync(TcpClient from, TcpClient to, TimeSpan handshake)
    {
        var pieces = Channel.CreateBounded<(byte[] Bytes, int Length, long Arrived)>(PiecesUnderWay);
        var delivering = DeliverAsync(pieces.Reader, to, TimeProvider.System.GetTimestamp(), handshake);
        try
        {
            while (true)
            {
                var bytes = System.Buffers.ArrayPool<byte>.Shared.Rent(PieceSize);
                var length = await from.GetStream().ReadAsync(bytes, _stop.Token);
                if (length == 0)
                    break;
                await pieces.Writer.WriteAsync((bytes, length, TimeProvider.System.GetTimestamp()), _stop.Token);
            }
        }
        finally
        {
            pieces.Writer.Complete();
        }
        await delivering;
    }

    private async Task DeliverAsync(
        ChannelReader<(byte[] Bytes, int Length, long Arrived)> pieces,
        TcpClient to,
        long connected,
        TimeSpan handshake
    )
    {
        await foreach (var (bytes, length, arrived) in pieces.ReadAllAsync(_stop.Token))
        {
            var wait = _roundTrip / 2 - TimeProvider.System.GetElapsedTime(arrived);
            var first = handshake + _roundTrip / 2 - TimeProvider.System.GetElapsedTime(connected);
            if (first > wait)
                wait = first;
            if (wait > TimeSpan.Zero)
                await Task.Delay(wait, TimeProvider.System, _stop.Token);
            await to.GetStream().WriteAsync(bytes.AsMemory(0, length), _stop.Token);
            System.Buffers.ArrayPool<byte>.Shared.Return(bytes);
        }
        to.Client.Shutdown(SocketShutdown.Send);
    }
}
