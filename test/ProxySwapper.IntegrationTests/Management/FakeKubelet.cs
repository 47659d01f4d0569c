using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using ProxySwapper.Kubernetes;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests.Management;

/// <summary>
/// The part of kubelet that forwards ports over WebSocket, here to ports of this machine: an API server connects
/// to it as to a kubelet. As there, both channels begin with the port, and an error is text in the second one.
/// </summary>
internal sealed class FakeKubelet : IAsyncDisposable
{
    private const string Protocol = "v4.channel.k8s.io";

    private readonly WebApplication _server;
    private readonly TestCertificates _certificates;

    private FakeKubelet(WebApplication server, TestCertificates certificates, string name) =>
        (_server, _certificates, Name) = (server, certificates, name);

    public string Name { get; }

    /// <summary>Starts it, and makes it known to an API server.</summary>
    public static async Task<FakeKubelet> StartAsync(KubeApiServer server)
    {
        var certificates = new TestCertificates();
        var web = LoopbackServer.Build(certificates.IssueServer());
        web.UseWebSockets();
        web.Run(RespondAsync);
        await web.StartAsync();
        var node = new FakeKubelet(web, certificates, $"node-{Guid.NewGuid():n}"[..15]);
        await server.Client.PostAsync("/api/v1/nodes", new JsonObject { ["metadata"] = new JsonObject { ["name"] = node.Name } }, default);
        var status = JsonNode
            .Parse(
                $$"""
                {"status": {"addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
                 "daemonEndpoints": {"kubeletEndpoint": {"Port": {{new Uri(web.Urls.Single()).Port}} } } } }
                """
            )!
            .AsObject();
        await server.Client.PatchAsync($"/api/v1/nodes/{node.Name}/status", PatchKind.Merge, status, default);
        return node;
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _certificates.Dispose();
    }

    private static async Task RespondAsync(HttpContext context)
    {
        if (!context.Request.Path.StartsWithSegments("/portForward") || !context.WebSockets.IsWebSocketRequest)
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }
        var port = ushort.Parse(context.Request.Query["port"].ToString(), System.Globalization.CultureInfo.InvariantCulture);
        using var socket = await context.WebSockets.AcceptWebSocketAsync(Protocol);
        var header = new byte[sizeof(ushort)];
        BinaryPrimitives.WriteUInt16LittleEndian(header, port);
        await SendAsync(socket, 0, header);
        await SendAsync(socket, 1, header);
        using var connection = new TcpClient();
        try
        {
            await connection.ConnectAsync(IPAddress.Loopback, port);
        }
        catch (SocketException fault)
        {
            await SendAsync(socket, 1, Encoding.UTF8.GetBytes($"an error occurred forwarding {port}: {fault.Message}"));
            await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, default);
            return;
        }
        await using var stream = connection.GetStream();
        await Task.WhenAny(UpAsync(socket, stream), DownAsync(socket, stream));
    }

    private static async Task UpAsync(WebSocket socket, NetworkStream stream)
    {
        var buffer = new byte[64 * 1024];
        while (await socket.ReceiveAsync(buffer.AsMemory(), default) is { MessageType: WebSocketMessageType.Binary } message)
            await stream.WriteAsync(buffer.AsMemory(1, message.Count - 1));
    }

    private static async Task DownAsync(WebSocket socket, NetworkStream stream)
    {
        var buffer = new byte[100];
        while (await stream.ReadAsync(buffer) is > 0 and var count)
            await SendAsync(socket, 0, buffer.AsMemory(0, count));
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, default);
    }

    private static async Task SendAsync(WebSocket socket, byte channel, ReadOnlyMemory<byte> data)
    {
        byte[] message = [channel, .. data.Span];
        await socket.SendAsync(message, WebSocketMessageType.Binary, endOfMessage: true, default);
    }
}
