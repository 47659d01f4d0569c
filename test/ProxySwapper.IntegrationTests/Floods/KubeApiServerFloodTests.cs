using System.Net;
using System.Net.Http.Headers;
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
    /// <summary>
    /// Between two rounds of frames: 40,000 a second in all. The attacker runs on the same processors, and without a pause it would be its
    /// own load that is measured.
    /// </summary>
    private static readonly TimeSpan FramePause = TimeSpan.FromMilliseconds(50);

    /// <summary>What one connection with HTTP/2 sends in a round.</summary>
    private static readonly Func<int, byte[]>[] Frames =
    [
        _ => Http2Frames.Pings(1000),
        _ => Http2Frames.EmptySettings(1000),
        round => [.. Http2Frames.Request((2 * round) + 1), .. Http2Frames.Reset((2 * round) + 1)],
        round => [.. Http2Frames.Request((2 * round) + 1), .. Http2Frames.Body((2 * round) + 1, new byte[16 * 1024])],
    ];

    private KubeApiServer _cluster = null!;
    private ProxySwapperProcess _webhook = null!;
    private HttpClient _client = null!;
    private string _namespace = "";

    [SetUp]
    public async Task StartAsync()
    {
        _cluster = await ControlPlane.GetAsync();
        _client = _cluster.CreateHttpClient();
        _namespace = await _cluster.CreateNamespaceAsync();
        _webhook = await FloodedWebhook.StartAsync();
        await _cluster.KubectlWithInputAsync(
            WebhookRegistration.Manifest(_webhook, _namespace, name: $"flood-{_namespace}"),
            "apply",
            "-f",
            "-"
        );
        await TestWait.UntilAsync(async () => await CreateAsync("probe-", 10) == FloodedWebhook.Target, "the webhook's first call");
    }

    [TearDown]
    public async Task StopAsync()
    {
        await _cluster.KubectlAsync("delete", "mutatingwebhookconfiguration", $"flood-{_namespace}");
        await _webhook.DisposeAsync();
        _client.Dispose();
    }

    [Test]
    public async Task No_Pod_goes_unswapped_during_an_attack()
    {
        // As in a cluster, where an attacker has another address than the API server.
        await using var flood = Flood.Of(_webhook, IPAddress.Parse("127.0.0.2"));
        var attack = AttackAsync(flood);
        var pods = 0;
        var times = new List<TimeSpan>();
        do
        {
            Assert.That(await CreateAsync("web-", 10), Is.EqualTo(FloodedWebhook.Target), $"Pod {pods++}");
            times.Add(await ReviewClient.MeasureAsync(_webhook, FloodedWebhook.Target));
        } while (!attack.IsCompleted);
        await attack;
        var peak = FloodedWebhook.PeakMemoryOf(_webhook);
        TestContext.Out.WriteLine($"{pods} Pods, {FloodedWebhook.Describe(times)}, peak {peak / 1024 / 1024} MiB");
        var metrics = PrometheusText.Parse(await _webhook.Management.GetStringAsync("/metrics"));
        Assert.Multiple(() =>
        {
            FloodedWebhook.AssertInTime(times);
            Assert.That(peak, Is.LessThan(FloodedWebhook.MemoryLimit));
            Assert.That(
                metrics["""proxyswapper_connections_closed_total{reason="too many connections"}"""],
                Is.GreaterThan(6000),
                "the attack reached the webhook"
            );
        });
    }

    [Test]
    public async Task A_Pod_of_the_size_that_etcd_stores_is_never_rejected_for_its_patch()
    {
        // The largest size the API server accepts without the webhook, by bisection.
        var (stored, rejected) = (1_400_000, 1_600_000);
        while (rejected - stored > 1)
        {
            var size = (stored + rejected) / 2;
            (stored, rejected) = await CreateAsync("plain-", size, isOptedOut: true) is null ? (stored, size) : (size, rejected);
        }
        foreach (var less in new[] { 0, 100, 200, 400, 1000, 4000, 8000, 12_000, 20_000 })
            Assert.That(await CreateAsync("large-", stored - less), Is.Not.Null, $"{less} bytes below {stored}");
        Assert.That(await CreateAsync("large-", stored - 20_000), Is.EqualTo(FloodedWebhook.Target), "swapped where there is room");
    }

    /// <summary>Idle connections, half-sent bodies and a flood of frames at the same time.</summary>
    private static async Task AttackAsync(Flood flood)
    {
        var connections = Task.WhenAll(
            flood.OpenAsync(5000, (f, _) => f.ConnectAsync()),
            flood.OpenAsync(2000, (f, _) => f.SendHalfBodyAsync(8000))
        );
        do await flood.OpenAsync(Frames.Length, (f, number) => f.SendFramesAsync(40, Frames[number], FramePause));
        while (!connections.IsCompleted);
        await connections;
    }

    /// <summary>Creates a Pod with an argument of characters that Go escapes; returns its image, or null if it is rejected.</summary>
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
        using var content = new StringContent(pod, new MediaTypeHeaderValue("application/json"));
        using var response = await _client.PostAsync($"/api/v1/namespaces/{_namespace}/pods", content);
        return response.IsSuccessStatusCode
            ? (string?)JsonNode.Parse(await response.Content.ReadAsStringAsync())!["spec"]!["containers"]![0]!["image"]
            : null;
    }
}
