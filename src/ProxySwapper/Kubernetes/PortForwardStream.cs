using System.Net.WebSockets;
using System.Text;
using ProxySwapper.Patterns;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Kubernetes;

/// <summary>
/// A connection to a port of a Pod through the API server and the Pod's kubelet, over WebSocket. The first byte of a message is its
/// channel: 0 for data, 1 for kubelet's error; the first two bytes of a channel are the port
/// (<see href="https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/">Pod</see>, <c>portforward</c>).
/// </summary>
internal sealed class PortForwardStream(WebSocket socket) : ForwardOnlyStream
{
    /// <summary>The subprotocol: binary channels.</summary>
    public const string Protocol = "v4.channel.k8s.io";

    private const byte DataChannel = 0;
    private const byte ErrorChannel = 1;
    private const int PortLength = sizeof(ushort);
    private const int BufferSize = 16 * 1024;
    private const int MaximumError = 1000;

    private readonly byte[] _buffer = new byte[BufferSize];
    private readonly int[] _portBytesLeft = [PortLength, PortLength];
    private ReadOnlyMemory<byte> _data;
    private byte? _channel;

    public override bool CanWrite => true;

    /// <exception cref="IOException">The connection broke, or kubelet cannot reach the port.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (_data.IsEmpty)
            if (!await ReceiveAsync(cancellationToken))
                return 0;
        var count = Math.Min(buffer.Length, _data.Length);
        _data[..count].CopyTo(buffer);
        _data = _data[count..];
        return count;
    }

    /// <exception cref="IOException">The connection broke.</exception>
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var message = new byte[buffer.Length + 1];
        message[0] = DataChannel;
        buffer.CopyTo(message.AsMemory(1));
        try
        {
            await socket.SendAsync(message.AsMemory(), WebSocketMessageType.Binary, endOfMessage: true, cancellationToken);
        }
        catch (WebSocketException problem)
        {
            throw new IOException(problem.Message, problem);
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            socket.Dispose();
        base.Dispose(disposing);
    }

    /// <returns>False at the end.</returns>
    private async ValueTask<bool> ReceiveAsync(CancellationToken cancellationToken)
    {
        try
        {
            var result = await socket.ReceiveAsync(_buffer.AsMemory(), cancellationToken);
            if (result.MessageType == WebSocketMessageType.Close)
                return false;
            var part = _buffer.AsMemory(0, result.Count);
            if (_channel is null && !part.IsEmpty)
                (_channel, part) = (part.Span[0], part[1..]);
            if (_channel is { } channel)
                Take(channel, part);
            if (result.EndOfMessage)
                _channel = null;
            return true;
        }
        catch (WebSocketException problem)
        {
            throw new IOException(problem.Message, problem);
        }
    }

    private void Take(byte channel, ReadOnlyMemory<byte> part)
    {
        if (channel is not (DataChannel or ErrorChannel))
            throw new IOException($"unexpected channel {channel}");
        var port = Math.Min(_portBytesLeft[channel], part.Length);
        _portBytesLeft[channel] -= port;
        part = part[port..];
        if (channel == DataChannel)
            _data = part;
        else if (!part.IsEmpty)
            throw new IOException(PlainText.Of(Truncation.Shorten(Encoding.UTF8.GetString(part.Span), MaximumError)).Trim());
    }
}
