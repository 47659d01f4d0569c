using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests.Swap;

/// <summary>The built program with one rule, and requests to it; each test has its own.</summary>
internal abstract class ServingFixture
{
    protected ProxySwapperProcess Webhook { get; private set; } = null!;
    protected HttpClient Client { get; private set; } = null!;

    [SetUp]
    public async Task StartAsync()
    {
        Webhook = await ProxySwapperProcess.StartAsync("proxyUrl: one.example");
        Client = Webhook.CreateClient();
    }

    [TearDown]
    public async Task StopAsync()
    {
        Client.Dispose();
        await Webhook.DisposeAsync();
    }

    protected static async Task<string?> TargetAsync(HttpClient client)
    {
        using var content = new StringContent(
            """{"apiVersion":"admission.k8s.io/v1","request":{"uid":"u","kind":{"kind":"Pod"}"""
                + ""","operation":"CREATE","namespace":"default","object":{"spec":{"containers":"""
                + """[{"name":"web","image":"nginx"}]}}}}""",
            Encoding.UTF8,
            "application/json"
        );
        using var response = await client.PostAsync("/mutate", content);
        var review = JsonNode.Parse(await response.EnsureSuccessStatusCode().Content.ReadAsStringAsync())!["response"]!;
        return JsonNode.Parse(Convert.FromBase64String((string)review["patch"]!))![0]!["value"]!.ToString();
    }

    protected async Task<SslStream> ConnectAsync(SslProtocols protocols)
    {
        var socket = new TcpClient();
        await socket.ConnectAsync("localhost", Webhook.Port);
        var stream = new SslStream(socket.GetStream());
        await stream.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = "localhost",
                EnabledSslProtocols = protocols,
                RemoteCertificateValidationCallback = (_, certificate, _, _) =>
                    Webhook.Certificates.HasSigned(certificate as X509Certificate2),
            }
        );
        return stream;
    }
}
