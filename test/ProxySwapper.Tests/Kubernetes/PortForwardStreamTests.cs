using System.Net.WebSockets;
using System.Text;
using ProxySwapper.Kubernetes;

namespace ProxySwapper.Tests.Kubernetes;

/// <summary>Data from and to kubelet over a forwarded port, split at any position.</summary>
[TestFixture]
internal sealed class PortForwardStreamTests
{
    private static readonly byte[] DataBegins = [0, 0x82, 0x23];
    private static readonly byte[] ErrorBegins = [1, 0x82, 0x23];

    [Test]
    public async Task Data_is_what_follows_the_channel_and_the_port()
    {
        await using var stream = new PortForwardStream(
            new ScriptedSocket(DataBegins, ErrorBegins, [0, .. "HTTP/1.1 "u8], [], [0], [0, .. "200 OK"u8])
        );
        Assert.That(await ReadAsync(stream), Is.EqualTo("HTTP/1.1 200 OK"));
    }

    [Test]
    public async Task A_channel_may_begin_in_several_messages_and_with_data()
    {
        await using var stream = new PortForwardStream(new ScriptedSocket([0, 0x82], [0, 0x23, .. "ab"u8], ErrorBegins, [0, .. "c"u8]));
        Assert.That(await ReadAsync(stream), Is.EqualTo("abc"));
    }

    [Test]
    public async Task A_message_may_be_larger_than_any_buffer()
    {
        var text = string.Concat(Enumerable.Range(0, 20_000).Select(number => $"{number},"));
        await using var stream = new PortForwardStream(
            new ScriptedSocket(DataBegins, [0, .. Encoding.UTF8.GetBytes(text)], [0, .. "end"u8])
        );
        Assert.That(await ReadAsync(stream), Is.EqualTo(text + "end"));
    }

    [Test]
    public void An_error_of_kubelet_is_reported_without_control_characters()
    {
        var stream = new PortForwardStream(new ScriptedSocket(DataBegins, ErrorBegins, [1, .. "connection\u001b[2J refused\n"u8]));
        Assert.That(() => ReadAsync(stream), Throws.TypeOf<IOException>().With.Message.EqualTo("connection [2J refused"));
    }

    [Test]
    public void Another_channel_is_rejected()
    {
        var stream = new PortForwardStream(new ScriptedSocket(DataBegins, [2, 1]));
        Assert.That(() => ReadAsync(stream), Throws.TypeOf<IOException>().With.Message.EqualTo("unexpected channel 2"));
    }

    [Test]
    public void A_connection_that_breaks_is_an_IO_error()
    {
        var stream = new PortForwardStream(new ScriptedSocket(DataBegins) { Breaks = true });
        Assert.That(() => ReadAsync(stream), Throws.TypeOf<IOException>().With.InnerException.TypeOf<WebSocketException>());
    }

    [Test]
    public async Task What_is_written_goes_to_the_data_channel()
    {
        var socket = new ScriptedSocket();
        await using var stream = new PortForwardStream(socket);
        await stream.WriteAsync("GET"u8.ToArray());
        await stream.WriteAsync("/"u8.ToArray());
        Assert.That(socket.Sent, Is.EqualTo(new byte[][] { [0, .. "GET"u8], [0, .. "/"u8] }));
    }

    private static async Task<string> ReadAsync(Stream stream)
    {
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return await reader.ReadToEndAsync();
    }

    /// <summary>Receives these messages, in parts as large as the buffer, and then the end.</summary>
    private sealed class ScriptedSocket(params IEnumerable<byte[]> messages) : WebSocket
    {
        private readonly Queue<byte[]> _messages = new(messages);
        private int _taken;

        public List<byte[]> Sent { get; } = [];

        /// <summary>The response does not end; the connection breaks.</summary>
        public bool Breaks { get; init; }

        public override WebSocketCloseStatus? CloseStatus => null;
        public override string? CloseStatusDescription => null;
        public override WebSocketState State => WebSocketState.Open;
        public override string? SubProtocol => PortForwardStream.Protocol;

        public override ValueTask<ValueWebSocketReceiveResult> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
        {
            if (!_messages.TryPeek(out var message))
                return Breaks
                    ? throw new WebSocketException(WebSocketError.ConnectionClosedPrematurely)
                    : ValueTask.FromResult(new ValueWebSocketReceiveResult(0, WebSocketMessageType.Close, true));
            var part = message.AsMemory(_taken)[..Math.Min(buffer.Length, message.Length - _taken)];
            part.CopyTo(buffer);
            _taken += part.Length;
            var isEnd = _taken == message.Length;
            if (isEnd)
                (_, _taken) = (_messages.Dequeue(), 0);
            return ValueTask.FromResult(new ValueWebSocketReceiveResult(part.Length, WebSocketMessageType.Binary, isEnd));
        }

        public override ValueTask SendAsync(
            ReadOnlyMemory<byte> buffer,
            WebSocketMessageType messageType,
            bool endOfMessage,
            CancellationToken cancellationToken
        )
        {
            Sent.Add(buffer.ToArray());
            return ValueTask.CompletedTask;
        }

        public override void Abort() { }

        public override void Dispose() { }

        public override Task CloseAsync(WebSocketCloseStatus closeStatus, string? statusDescription, CancellationToken cancellationToken) =>
            Task.CompletedTask;

        public override Task CloseOutputAsync(
            WebSocketCloseStatus closeStatus,
            string? statusDescription,
            CancellationToken cancellationToken
        ) => Task.CompletedTask;

        public override Task<WebSocketReceiveResult> ReceiveAsync(ArraySegment<byte> buffer, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public override Task SendAsync(
            ArraySegment<byte> buffer,
            WebSocketMessageType messageType,
            bool endOfMessage,
            CancellationToken cancellationToken
        ) => throw new NotSupportedException();
    }
}
