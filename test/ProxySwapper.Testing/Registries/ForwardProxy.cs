using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ProxySwapper.Testing.Registries;

/// <summary>
/// An HTTP proxy that resolves every name to one server: it opens a tunnel for <c>CONNECT</c>, and forwards everything else unchanged.
/// </summary>
internal sealed class ForwardProxy : TcpProxy
{
    private const int MaxHead = 64 * 1024;

    private static readonly byte[] Unauthorized = Encoding.ASCII.GetBytes(
        "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\n"
            + "Content-Length: 0\r\nConnection: close\r\n\r\n"
    );

    /// <param name="server">The server's address and port.</param>
    public ForwardProxy(string server)
        : base(server) { }

    /// <summary>Its URL, as in an environment variable.</summary>
    public string Url => $"http://{Address}";

    /// <summary>The user and password that it demands, with a colon between them; null for none.</summary>
    public string? Login { get; set; }

    /// <summary>The first line of each connection, without the protocol's version.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    /// <inheritdoc />
    protected override async Task RelayAsync(TcpClient near, TcpClient far, IPEndPoint server)
    {
        var head = await ReadHeadAsync(near.GetStream());
        var line = Encoding.ASCII.GetString(head).Split("\r\n")[0];
        Requests.Enqueue(line[..line.LastIndexOf(' ')]);
        if (Login is { } login && !IsBy(login, head))
        {
            await near.GetStream().WriteAsync(Unauthorized, Stopped);
            return;
        }
        await far.ConnectAsync(server, Stopped);
        if (line.StartsWith("CONNECT ", StringComparison.Ordinal))
            await near.GetStream().WriteAsync("HTTP/1.1 200 OK\r\n\r\n"u8.ToArray(), Stopped);
        else
            await far.GetStream().WriteAsync(head, Stopped);
        await Task.WhenAny(near.GetStream().CopyToAsync(far.GetStream(), Stopped), far.GetStream().CopyToAsync(near.GetStream(), Stopped));
    }

    private static bool IsBy(string login, byte[] head) =>
        Encoding
            .ASCII.GetString(head)
            .Contains(
                $"\r\nProxy-Authorization: Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes(login))}\r\n",
                StringComparison.Ordinal
            );

    private async Task<byte[]> ReadHeadAsync(NetworkStream stream)
    {
        var (head, length) = (new byte[MaxHead], 0);
        while (!head.AsSpan(0, length).EndsWith("\r\n\r\n"u8))
        {
            var read = await stream.ReadAsync(head.AsMemory(length), Stopped);
            length = read > 0 ? length + read : throw new IOException("The connection ended within a head.");
        }
        return head[..length];
    }
}
