using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests.Management;

/// <summary>Access to the pages of the management port, with and without <c>management.tokenFrom</c>.</summary>
[TestFixture]
internal sealed class ManagementTokenTests
{
    private const string Token = "a token of this test";

    [Test]
    public async Task The_page_and_its_data_require_the_token_and_nothing_else_does()
    {
        await using var program = await ProxySwapperProcess.StartAsync(
            "proxyUrl: registry.example.com\nmanagement: {tokenFrom: {env: MANAGEMENT_TOKEN}}",
            new Dictionary<string, string> { ["MANAGEMENT_TOKEN"] = Token }
        );
        var closed = new[] { "/", "/populate" };
        foreach (var path in new[] { "/healthz", "/readyz", "/readyz?verbose", "/metrics", "/", "/populate" })
        {
            var expected = closed.Contains(path) ? HttpStatusCode.Unauthorized : HttpStatusCode.OK;
            Assert.That(await StatusAsync(program, path, null), Is.EqualTo(expected), path);
            Assert.That(await StatusAsync(program, path, "wrong"), Is.EqualTo(expected), path);
            Assert.That(await StatusAsync(program, path, Token), Is.EqualTo(HttpStatusCode.OK), path);
        }
        Assert.That(program.Log + await program.Management.GetStringAsync(new Uri("/metrics", UriKind.Relative)), Does.Not.Contain(Token));
    }

    [Test]
    public async Task Without_a_token_only_localhost_can_read_the_pages_and_none_can_be_framed_or_cached()
    {
        await using var program = await ProxySwapperProcess.StartAsync("proxyUrl: registry.example.com");
        foreach (var path in new[] { "/", "/populate" })
            Assert.That(await StatusAsync(program, path, null), Is.EqualTo(HttpStatusCode.OK), path);
        using var elsewhere = ConnectingFrom(IPAddress.Parse("127.0.0.2"), program.Management.BaseAddress!);
        foreach (var path in new[] { "/", "/populate" })
        {
            using var response = await elsewhere.GetAsync(new Uri(path, UriKind.Relative));
            Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.Forbidden), path);
            Assert.That(await response.Content.ReadAsStringAsync(), Does.Contain("kubectl port-forward"));
        }
        foreach (var path in new[] { "/healthz", "/readyz", "/metrics" })
            using (var response = await elsewhere.GetAsync(new Uri(path, UriKind.Relative)))
                Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.OK), path);
        using var page = await program.Management.GetAsync(new Uri("/", UriKind.Relative));
        var policy = page.Headers.GetValues("Content-Security-Policy").Single();
        Assert.That(policy, Does.StartWith("default-src 'none'; script-src 'sha256-").And.Contain("frame-ancestors 'none'"));
        Assert.That(policy, Does.Not.Contain("unsafe").And.Not.Contain("*").And.Not.Contain("http"));
        Assert.That(page.Headers.CacheControl!.NoStore, Is.True);
    }

    /// <summary>A client with another address than localhost's, as those of other machines have.</summary>
    private static HttpClient ConnectingFrom(IPAddress address, Uri server)
    {
        var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (context, cancellationToken) =>
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                socket.Bind(new IPEndPoint(address, 0));
                await socket.ConnectAsync(IPAddress.Loopback, context.DnsEndPoint.Port, cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        return new HttpClient(handler) { BaseAddress = server };
    }

    private static async Task<HttpStatusCode> StatusAsync(ProxySwapperProcess program, string path, string? token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (token is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using var response = await program.Management.SendAsync(request);
        return response.StatusCode;
    }
}
