using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using ProxySwapper.Checks;
using ProxySwapper.Configuration;
using ProxySwapper.Kubernetes;
using ProxySwapper.Kubernetes.InMemory;
using ProxySwapper.Registry;
using ProxySwapper.Testing.Kubernetes;

namespace ProxySwapper.Tests.Checks;

[TestFixture]
internal sealed class SwapCheckTests
{
    [Test]
    public async Task A_container_that_another_webhook_adds_is_not_taken_for_ours()
    {
        Assert.That(
            await RunAsync(Admitted),
            Is.EqualTo(
                (true, "[+] nginx -> r.example.com/library/nginx:latest (proxyUrl)\n[+] quay.io/team/app:1 is unchanged: no rule matches\n")
            )
        );
    }

    [TestCase("{}")]
    [TestCase("""{"spec":5}""")]
    [TestCase("""{"spec":{"containers":{}}}""")]
    public void A_response_that_is_not_a_Pod_is_named(string response) =>
        Assert.That(
            () => RunAsync(response),
            Throws.TypeOf<KubernetesException>().With.Message.EqualTo("create pods in namespace team: the response is not a Pod")
        );

    private static async Task<(bool IsCalled, string Output)> RunAsync(string response)
    {
        await using var server = await InMemoryApiServer.StartAsync(
            new InMemoryApiServerOptions { Interceptor = (context, _) => context.Response.WriteAsync(response) }
        );
        using var client = ApiServers.Connect(server);
        var options = ConfigurationReader.ReadText("c.yaml", "proxyUrl: r.example.com", EnvironmentVariables.None);
        var samples = SampleImage.Of(options, "team", ["nginx", "quay.io/team/app:1"], []);
        using var output = new StringWriter { NewLine = "\n" };
        var isCalled = await new SwapCheck(client, options, TimeProvider.System).RunAsync(
            new CheckReport(output),
            "team",
            samples,
            TimeSpan.Zero,
            CancellationToken.None
        );
        return (isCalled, output.ToString());
    }

    /// <summary>As Istio's webhook leaves it with holdApplicationUntilProxyStarts.</summary>
    private static string Admitted { get; } =
        new JsonObject
        {
            ["metadata"] = new JsonObject { ["labels"] = new JsonObject { ["k8s-proxy-image-swapper"] = "patched-image" } },
            ["spec"] = new JsonObject
            {
                ["containers"] = new JsonArray(
                    Container("istio-proxy", "gcr.io/istio-release/proxyv2:1.27.0"),
                    Container("c0", "r.example.com/library/nginx:latest"),
                    Container("c1", "quay.io/team/app:1")
                ),
            },
        }.ToJsonString();

    private static JsonObject Container(string name, string image) => new() { ["name"] = name, ["image"] = image };
}
