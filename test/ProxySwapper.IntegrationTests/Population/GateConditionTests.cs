using System.Text.Json.Nodes;
using ProxySwapper.IntegrationTests.Chart;
using ProxySwapper.Kubernetes;

namespace ProxySwapper.IntegrationTests.Population;

/// <summary>The chart's condition for updates, which only a real API server evaluates.</summary>
[TestFixture(ApiServerKind.Modern, Category = "NeedsServer,NeedsModernServer")]
internal sealed class GateConditionTests(object kind) : GateFixture(kind)
{
    [Test]
    public async Task With_the_charts_condition_the_webhook_is_not_called_for_a_release_and_is_for_other_updates()
    {
        var scene = Scene;
        var webhook = (await HelmChart.ObjectsAsync(HelmChart.ValueSet("conditions"), "--kube-version", "1.36.0")).Single(item =>
            (string?)item["kind"] == "MutatingWebhookConfiguration"
        );
        var condition = webhook["webhooks"]![0]!["matchConditions"]!
            .AsArray()
            .Single(item => (string?)item!["name"] == "gate-is-not-lifted")!
            .AsObject();
        await scene.StartReplicaAsync(updates: true, matchCondition: condition);
        var source = $"{scene.Upstream.Address}/team/nowhere:1";
        await scene.CreateAsync(GateScene.Pod("lost", source));
        Assert.That(GateScene.ImageOf(await scene.ReleasedAsync("lost")), Is.EqualTo(source), "put back, and not swapped again");
        Assert.That(await GetAsync("/metrics"), Does.Not.Match("proxyswapper_admissions_total.*gate_lifted.* [1-9]"));
        // The condition only excludes the release: an update with another image is reviewed.
        var (other, target) = scene.AddImage("other", 224);
        await scene.CreateAsync(GateScene.Pod("plain", "example.invalid/main:1"));
        var path = $"/api/v1/namespaces/{scene.Namespace}/pods/plain";
        var patch = JsonNode.Parse($$"""[{"op":"replace","path":"/spec/containers/0/image","value":"{{other}}"}]""")!;
        var updated = await scene.Client.PatchAsync(path, PatchKind.Json, patch, default);
        Assert.That(GateScene.ImageOf(updated), Is.EqualTo(target));
    }
}
