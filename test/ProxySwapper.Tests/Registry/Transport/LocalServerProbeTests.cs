using System.Net;
using System.Net.Sockets;
using System.Text;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Transport;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Registry.Transport;

/// <summary>Only a response decides whether a local server uses TLS: one that is slow or starting is not taken for plain HTTP.</summary>
[TestFixture]
internal sealed class LocalServerProbeTests
{
    private const string Alert = "\u0015\u0003\u0003\u0000\u0002\u0002\u0028";
    private const string Silence = "silence";
    private const string Closed = "";

    private static readonly RegistryOptions Options = new() { ResponseTimeout = TimeSpan.FromSeconds(30) };

    /// <summary>What a local server may take for each response.</summary>
    private static readonly TimeSpan Limit = Options.ResponseTimeout / 6;

    [TestCase(Alert, Closed, "https", true, TestName = "A_server_that_rejects_the_handshake_speaks_TLS")]
    [TestCase("HTTP/1.1 400 Bad Request\r\n\r\n", Closed, "http", true, TestName = "An_HTTP_response_to_a_handshake_is_of_plain_HTTP")]
    [TestCase(
        Closed,
        "HTTP/1.1 401 Unauthorized\r\n\r\n",
        "http",
        true,
        TestName = "A_server_that_responds_with_plain_HTTP_alone_is_used_so"
    )]
    [TestCase(Silence, "HTTP/1.1 200 OK\r\n\r\n", "http", true, TestName = "A_server_that_waits_for_the_end_of_a_line_is_tried_again")]
    [TestCase(Closed, "HTTP/1.0 400 Bad Request\r\n\r\n", "https", false, TestName = "A_server_that_rejects_plain_HTTP_is_not_decided")]
    [TestCase(Closed, Closed, "https", false, TestName = "A_server_that_closes_connections_is_not_decided")]
    [TestCase(Silence, Silence, "https", false, TestName = "A_server_that_is_slow_is_not_decided")]
    [TestCase(Silence, "HT", "https", false, TestName = "A_response_that_is_cut_off_is_not_decided")]
    public async Task A_response_decides(string toHandshake, string toRequest, string scheme, bool isKnown)
    {
        using var server = new TcpListener(IPAddress.Loopback, 0);
        server.Start();
        using var stop = new CancellationTokenSource();
        var serving = ServeAsync(server, toHandshake, toRequest, stop.Token);
        using var connections = new ConnectionPool();
        var time = new ManualTimeProvider();
        var host = new RegistryHost(RegistryName.Parse($"{server.LocalEndpoint}"), Options, connections, time, new CapturedLog());
        var finding = host.AddressAsync(default).AsTask();
        foreach (var response in new[] { toHandshake, toRequest })
            if (response == Silence)
                await time.FireAsync(Limit);
        Assert.That((await finding).Scheme, Is.EqualTo(scheme));
        Assert.That(host.KnownAddress, isKnown ? Is.EqualTo(await finding) : Is.Null);
        await stop.CancelAsync();
        await serving;
    }

    [Test]
    public async Task A_server_that_responds_later_is_found()
    {
        using var server = new TcpListener(IPAddress.Loopback, 0);
        server.Start();
        using var connections = new ConnectionPool();
        var name = RegistryName.Parse($"{server.LocalEndpoint}");
        var host = new RegistryHost(name, Options, connections, new ManualTimeProvider(), new CapturedLog());
        foreach (var (response, isKnown) in new[] { (Closed, false), (Alert, true) })
        {
            using var stop = new CancellationTokenSource();
            var serving = ServeAsync(server, response, Closed, stop.Token);
            Assert.That((await host.AddressAsync(default)).Scheme, Is.EqualTo("https"));
            Assert.That(host.KnownAddress is not null, Is.EqualTo(isKnown));
            await stop.CancelAsync();
            await serving;
        }
    }

    /// <summary>Responds to each connection once, by what it begins with, and closes it; those with nothing to hear stay open.</summary>
    private static async Task ServeAsync(TcpListener server, string toHandshake, string toRequest, CancellationToken stop)
    {
        var open = new List<TcpClient>();
        try
        {
            while (true)
            {
                var client = await server.AcceptTcpClientAsync(stop);
                open.Add(client);
                await RespondAsync(client, toHandshake, toRequest, stop);
            }
        }
        catch (OperationCanceledException)
        {
            open.ForEach(client => client.Dispose());
        }
    }

    private static async Task RespondAsync(TcpClient client, string toHandshake, string toRequest, CancellationToken stop)
    {
        try
        {
            var (stream, first) = (client.GetStream(), new byte[4096]);
            var read = await stream.ReadAsync(first, stop);
            var response = read > 0 && first[0] == (byte)'G' ? toRequest : toHandshake;
            if (response == Silence)
                return;
            await stream.WriteAsync(Encoding.Latin1.GetBytes(response), stop);
            client.Client.Shutdown(SocketShutdown.Send);
        }
        catch (Exception fault) when (fault is IOException or SocketException)
        {
            // The client has stopped waiting.
        }
    }
}
