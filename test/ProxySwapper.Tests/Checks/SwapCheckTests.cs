using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using ProxySwapper.Checks;
using ProxySwapper.Configuration;
using ProxySwapper.Kubernetes.InMemory;
using ProxySwapper.Testing.Kubernetes;

namespace ProxySwapper.Tests.Checks;

[TestFixture]
internal sealed class SwapCheckTests
{
    [Test]
    public async Task A_container_that_another_webhook_adds_is_not_taken_for_ours()
    {
        await using var server = await InMemoryApiServer.StartAsync(
            new InMemoryApiServerOptions { Interceptor = (context, _) => context.Response.WriteAsync(Admitted) }
        );
        using var client = ApiServers.Connect(server);
        var options = ConfigurationReader.ReadText("c.yaml", "proxyUrl: r.example.com", new Dictionary<string, string>());
        var samples = SampleImage.Of(options, "team", ["nginx", "quay.io/team/app:1"], []);
        using var output = new StringWriter { NewLine = "\n" };
        var isAsked = await new SwapCheck(client, options, TimeProvider.System).RunAsync(
            new CheckReport(output),
            "team",
            samples,
            TimeSpan.Zero,
            CancellationToken.None
        );
        Assert.That(
            (isAsked, output.ToString()),
            Is.EqualTo((true, "[+] nginx -> r.example.com/library/nginx:latest (proxyUrl)\n[+] quay.io/team/app:1 is unchanged: NoRule\n"))
        );
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
