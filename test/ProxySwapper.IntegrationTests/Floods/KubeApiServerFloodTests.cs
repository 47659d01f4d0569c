using System.Net.Security;
using System.Text.Json.Nodes;
using ProxySwapper.IntegrationTests.Swap;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.IntegrationTests.Floods;

/// <summary>The webhook of a real kube-apiserver, under attack and with Pods of the maximum size that etcd stores.</summary>
[TestFixture, NonParallelizable, NeedsServer]
internal sealed class KubeApiServerFloodTests
{
    private const string Target = "registry.example.com/library/nginx:latest";

    private KubeApiServer _cluster = null!;
    private ProxySwapperProcess _webhook = null!;
    private string _namespace = "";

    [SetUp]
    public async Task StartAsync()
    {
        _cluster = await ControlPlane.GetAsync();
        _namespace = await _cluster.CreateNamespaceAsync();
        _webhook = await ProxySwapperProcess.StartAsync("proxyUrl: registry.example.com");
        await _cluster.KubectlWithInputAsync(
            WebhookRegistration.Manifest(_webhook, _namespace, name: $"flood-{_namespace}"),
            "apply",
            "-f",
            "-"
        );
        await TestWait.UntilAsync(async () => await CreateAsync("probe-", 10) == Target, "the webhook's first call");
    }

    [TearDown]
    public async Task StopAsync()
    {
        await _cluster.KubectlAsync("delete", "mutatingwebhookconfiguration", $"flood-{_namespace}");
        await _webhook.DisposeAsync();
    }

    [Test]
    public async Task No_Pod_goes_unswapped_during_an_attack()
    {
        await using var flood = Flood.Of(_webhook);
        var attack = AttackAsync(flood);
        var pods = 0;
        do Assert.That(await CreateAsync("web-", 10), Is.EqualTo(Target), $"Pod {pods}");
        while (++pods < 10 || !attack.IsCompleted);
        await attack;
        TestContext.Out.WriteLine($"{pods} Pods");
    }

    [Test]
    public async Task A_Pod_of_the_size_that_etcd_stores_is_never_refused_for_its_patch()
    {
        // The largest size the API server accepts without the webhook, by bisection.
        var (stored, refused) = (1_400_000, 1_600_000);
        while (refused - stored > 1)
        {
            var size = (stored + refused) / 2;
            (stored, refused) = await CreateAsync("plain-", size, isOptedOut: true) is null ? (stored, size) : (size, refused);
        }
        foreach (var less in new[] { 0, 100, 200, 400, 1000, 4000, 8000, 12_000, 20_000 })
            Assert.That(await CreateAsync("large-", stored - less), Is.Not.Null, $"{less} bytes below {stored}");
        Assert.That(await CreateAsync("large-", stored - 20_000), Is.EqualTo(Target), "swapped where there is room");
    }

    private static async Task AttackAsync(Flood flood)
    {
        await flood.OpenAsync(1500, (f, _) => f.ConnectAsync());
        await flood.OpenAsync(500, (f, _) => f.SecureAsync(SslApplicationProtocol.Http2));
        await flood.OpenAsync(
            500,
            async (f, _) =>
            {
                var stream = await f.SecureAsync(SslApplicationProtocol.Http2);
                await stream.WriteAsync(Http2Frames.Preface());
                for (var request = 0; request < 20; request++)
                    await stream.WriteAsync(Http2Frames.Request((2 * request) + 1));
            }
        );
    }

    /// <summary>Creates a Pod with an argument of characters that Go escapes; returns its image, or null if it is refused.</summary>
    private async Task<string?> CreateAsync(string name, int size, bool isOptedOut = false)
    {
        var metadata = new JsonObject { ["generateName"] = name };
        if (isOptedOut)
            metadata["labels"] = new JsonObject { ["proxyswapper.io/ignore"] = "true" };
        // Written by hand, since a JSON library would escape it.
        var pod =
            "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":"
            + metadata.ToJsonString()
            + ",\"spec\":{\"containers\":[{\"name\":\"web\",\"image\":\"nginx\","
            + $$"""
                "args":["{{new string('<', size)}}"]}]} }
                """;
        var file = Path.Combine(_webhook.Folder, "pod.json");
        await File.WriteAllTextAsync(file, pod);
        var (exitCode, output, _) = await _cluster.TryKubectlAsync(
            "",
            "create",
            "--raw",
            $"/api/v1/namespaces/{_namespace}/pods",
            "-f",
            file
        );
        return exitCode == 0 ? (string?)JsonNode.Parse(output)!["spec"]!["containers"]![0]!["image"] : null;
    }
}
