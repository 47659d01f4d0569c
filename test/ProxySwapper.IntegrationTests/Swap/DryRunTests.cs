using System.Text.Json.Nodes;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.IntegrationTests.Swap;

/// <summary>A webhook with <c>dryRun</c> on a real kube-apiserver.</summary>
[TestFixture, NeedsServer]
internal sealed class DryRunTests
{
    private readonly string _webhook = $"dry-run-{Guid.NewGuid():n}";
    private KubeApiServer _cluster = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => _cluster = await ControlPlane.GetAsync();

    [TearDown]
    public async Task UnregisterAsync() =>
        await _cluster.KubectlAsync("delete", "mutatingwebhookconfiguration", _webhook, "--ignore-not-found");

    [Test]
    public async Task A_pod_is_left_unchanged_and_the_decision_is_logged_counted_and_shown()
    {
        await using var webhook = await ProxySwapperProcess.StartAsync(
            "proxyUrl: registry.example.com\ndryRun: true",
            new Dictionary<string, string> { ["KUBECONFIG"] = _cluster.Kubeconfig }
        );
        var @namespace = await _cluster.CreateNamespaceAsync();
        await _cluster.KubectlWithInputAsync(WebhookRegistration.Manifest(webhook, @namespace, name: _webhook), "apply", "-f", "-");
        await TestWait.UntilAsync(
            async () =>
            {
                // Another image, since the API server takes a while to pick up the webhook.
                Assert.That(ImageOf(await CreateAsync(@namespace, "redis:7")), Is.EqualTo("redis:7"));
                return (await webhook.Management.GetStringAsync("/populate")).Contains("redis", StringComparison.Ordinal);
            },
            "the webhook's first call"
        );
        var pod = await CreateAsync(@namespace, "nginx:1");
        Assert.Multiple(() =>
        {
            Assert.That(ImageOf(pod), Is.EqualTo("nginx:1"));
            Assert.That(pod["metadata"]!["labels"], Is.Null);
            Assert.That(pod["metadata"]!["annotations"], Is.Null);
            Assert.That(pod["spec"]!["schedulingGates"], Is.Null);
        });
        var state = JsonNode.Parse(await webhook.Management.GetStringAsync("/populate"))!;
        var shown = state["wouldRewrite"]!.AsArray().Single(image => (string?)image!["image"] == "nginx:1")!;
        Assert.Multiple(() =>
        {
            Assert.That((bool)state["dryRun"]!, Is.True);
            Assert.That((string?)shown["target"], Is.EqualTo("registry.example.com/library/nginx:1"));
            Assert.That((string?)shown["rule"], Is.EqualTo("proxyUrl"));
            Assert.That((string?)shown["namespace"], Is.EqualTo(@namespace));
            Assert.That(state["queued"]!.AsArray(), Is.Empty);
            Assert.That(state["failed"]!.AsArray(), Is.Empty);
            Assert.That(
                webhook.Log,
                Does.Contain($"Dry run: nginx:1 of Pod {@namespace}/")
                    .And.Contain("would be rewritten to registry.example.com/library/nginx:1 by proxyUrl")
            );
            Assert.That(webhook.Log, Does.Contain("dryRun is on"));
        });
        var metrics = await webhook.Management.GetStringAsync("/metrics");
        Assert.That(metrics, Does.Match("""proxyswapper_admissions_total\{result="dry_run"\} [1-9]"""));
        Assert.That(metrics, Does.Match("""proxyswapper_images_total\{registry="docker.io",result="dry_run"\} [1-9]"""));
        Assert.That(metrics, Does.Match("""proxyswapper_admissions_total\{result="patched"\} 0"""));
    }

    private static string ImageOf(JsonNode pod) => (string)pod["spec"]!["containers"]![0]!["image"]!;

    private async Task<JsonNode> CreateAsync(string @namespace, string image) =>
        JsonNode.Parse(
            await _cluster.KubectlWithInputAsync(
                $$"""
                {"apiVersion":"v1","kind":"Pod","metadata":{"generateName":"tried-","namespace":"{{@namespace}}"},
                 "spec":{"containers":[{"name":"a","image":"{{image}}"}]} }
                """,
                "create",
                "-f",
                "-",
                "-o",
                "json"
            )
        )!;
}
