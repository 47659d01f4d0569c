using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using ProxySwapper.Testing.Registries;

namespace ProxySwapper.Benchmarks.Registry;

/// <summary>
/// Simulates a remote registry: every byte is delayed by half a round trip in either direction, and the first one of a connection by
/// another round trip, as for a real TCP handshake. The bandwidth is not limited.
/// </summary>
internal sealed class DelayingProxy(string target, TimeSpan roundTrip) : TcpProxy(target)
{
    private const int PieceSize = 256 * 1024;
    private const int PiecesInFlight = 256;

    protected override async Task RelayAsync(TcpClient near, TcpClient far, IPEndPoint server)
    {
        near.NoDelay = far.NoDelay = true;
        await far.ConnectAsync(server, Stopped);
        await Task.WhenAll(DelayAsync(near, far, roundTrip), DelayAsync(far, near, TimeSpan.Zero));
    }

    private async Task DelayAsync(TcpClient from, TcpClient to, TimeSpan handshake)
    {
        var pieces = Channel.CreateBounded<(byte[] Bytes, int Length, long Arrived)>(PiecesInFlight);
        var delivering = DeliverAsync(pieces.Reader, to, TimeProvider.System.GetTimestamp(), handshake);
        try
        {
            while (true)
            {
                var bytes = System.Buffers.ArrayPool<byte>.Shared.Rent(PieceSize);
                var length = await from.GetStream().ReadAsync(bytes, Stopped);
                if (length == 0)
                    break;
                await pieces.Writer.WriteAsync((bytes, length, TimeProvider.System.GetTimestamp()), Stopped);
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
        await foreach (var (bytes, length, arrived) in pieces.ReadAllAsync(Stopped))
        {
            var wait = roundTrip / 2 - TimeProvider.System.GetElapsedTime(arrived);
            var first = handshake + roundTrip / 2 - TimeProvider.System.GetElapsedTime(connected);
            if (first > wait)
                wait = first;
            if (wait > TimeSpan.Zero)
                await Task.Delay(wait, TimeProvider.System, Stopped);
            await to.GetStream().WriteAsync(bytes.AsMemory(0, length), Stopped);
            System.Buffers.ArrayPool<byte>.Shared.Return(bytes);
        }
        to.Client.Shutdown(SocketShutdown.Send);
    }
}
