using System.Text.Json.Nodes;
using ProxySwapper.IntegrationTests.Chart;
using ProxySwapper.Kubernetes;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.IntegrationTests.Population;

/// <summary>More about gates: another policy, updates, a downstream registry that rejects our login.</summary>
internal sealed class GateOperationTests(object kind) : GateFixture(kind)
{
    private const string FastChecks = "proxyHealth: {interval: 1s}";

    [Test]
    public async Task With_immediate_a_pod_is_created_when_its_image_is_downstream_without_a_gate()
    {
        var scene = Scene;
        var (source, target) = scene.AddImage("immediate", 220);
        await scene.StartReplicaAsync("populate: {policy: immediate, deadline: 8s}", gates: false);
        var pod = await scene.CreateAsync(GateScene.Pod("immediate", source));
        Assert.That((GateScene.GatesOf(pod).Count, GateScene.ImageOf(pod)), Is.EqualTo((0, target)));
        Assert.That(scene.Downstream.Repository("mirror/team/immediate").Find("1"), Is.Not.Null, "before the Pod is there");
    }

    [Test]
    public async Task With_immediate_a_pod_is_made_at_the_deadline_and_the_copy_continues()
    {
        var scene = Scene;
        var (source, target) = scene.AddImage("late", 221);
        await scene.StartReplicaAsync("populate: {policy: immediate, deadline: 1s}", gates: false);
        scene.Hold();
        var pod = await scene.CreateAsync(GateScene.Pod("late", source));
        Assert.That((GateScene.GatesOf(pod).Count, GateScene.ImageOf(pod)), Is.EqualTo((0, target)));
        Assert.That(scene.Downstream.Repository("mirror/team/late").Find("1"), Is.Null);
        scene.EndHold();
        await TestWait.UntilAsync(() => scene.Downstream.Repository("mirror/team/late").Find("1") is not null, "the copy");
        Assert.That(scene.Upstream.Count(HttpMethod.Get, InMemoryRegistryRequestKind.Blob), Is.EqualTo(3), "once, for review and watch");
    }

    [Test]
    public async Task With_exists_a_pod_keeps_its_original_and_its_image_is_copied_for_the_next_one()
    {
        var scene = Scene;
        var (source, target) = scene.AddImage("exists", 225);
        await scene.StartReplicaAsync("swapPolicy: exists", gates: false);
        scene.Hold();
        var first = await scene.CreateAsync(GateScene.Pod("first", source));
        Assert.That((GateScene.GatesOf(first).Count, GateScene.ImageOf(first)), Is.EqualTo((0, source)));
        Assert.That(GateScene.LabelOf(first, "proxyswapper.io/populate"), Is.EqualTo("wanted"), "by which the watch finds it");
        scene.EndHold();
        await TestWait.UntilAsync(() => scene.Downstream.Repository("mirror/team/exists").Find("1") is not null, "the copy");
        var next = await scene.CreateAsync(GateScene.Pod("next", source));
        Assert.That((GateScene.GatesOf(next).Count, GateScene.ImageOf(next)), Is.EqualTo((0, target)));
        Assert.That(scene.Upstream.Count(HttpMethod.Get, InMemoryRegistryRequestKind.Blob), Is.EqualTo(3), "once");
        Assert.That(GateScene.ImageOf(await scene.FindAsync("first")), Is.EqualTo(source), "a Pod that is there stays as it is");
    }

    [Test]
    public async Task An_image_that_is_changed_while_its_pod_waits_is_waited_for_instead()
    {
        var scene = Scene;
        var lost = $"{scene.Upstream.Address}/team/nowhere:1";
        var (source, target) = scene.AddImage("changed", 227);
        await scene.StartReplicaAsync(updates: true);
        scene.Hold();
        await scene.CreateAsync(GateScene.Pod("changed", lost));
        var path = $"/api/v1/namespaces/{scene.Namespace}/pods/changed";
        var patch = JsonNode.Parse($$"""[{"op":"replace","path":"/spec/containers/0/image","value":"{{source}}"}]""")!;
        var updated = await scene.Client.PatchAsync(path, PatchKind.Json, patch, default);
        Assert.That((GateScene.ImageOf(updated), GateScene.GatesOf(updated)), Is.EqualTo((target, new[] { GateScene.Gate })));
        await TestWait.UntilAsync(async () => (await GetAsync("/populate")).Contains(target, StringComparison.Ordinal), "the new image");
        scene.EndHold();
        Assert.That(GateScene.ImageOf(await scene.ReleasedAsync("changed")), Is.EqualTo(target));
        Assert.That(scene.Downstream.Repository("mirror/team/changed").Find("1"), Is.Not.Null);
    }

    [Test]
    public async Task The_hook_of_an_uninstallation_removes_the_webhook_and_releases_the_pods_that_wait()
    {
        var scene = Scene;
        var (source, _) = scene.AddImage("uninstalled", 226);
        await scene.StartReplicaAsync();
        scene.Hold();
        foreach (var name in new[] { "one", "two" })
            Assert.That(GateScene.GatesOf(await scene.CreateAsync(GateScene.Pod(name, source))), Is.EqualTo([GateScene.Gate]));
        var hook = (await HelmChart.ObjectsAsync(HelmChart.ValueSet("default"), "--kube-version", "1.36.0")).Single(item =>
            (string?)item["kind"] == "Job" && ChartObjects.IsHook(item)
        );
        var arguments = hook["spec"]!["template"]!["spec"]!["containers"]![0]!["args"]!.AsArray().Select(item => (string)item!).ToList();
        arguments[arguments.IndexOf("--name") + 1] = scene.WebhookName;
        // Replicas still run then.
        var (exitCode, output, error) = await ProxySwapperProgram.RunAsync([.. arguments, "--kubeconfig", scene.Kubeconfig]);
        Assert.That((exitCode, error), Is.EqualTo((0, "")), output);
        Assert.That(output, Does.StartWith($"Removed {scene.WebhookName}."));
        foreach (var name in new[] { "one", "two" })
        {
            Assert.That(output, Does.Contain($"{scene.Namespace}/{name}: released with its original images"));
            var pod = await scene.FindAsync(name);
            Assert.That((GateScene.GatesOf(pod).Count, GateScene.ImageOf(pod)), Is.EqualTo((0, source)));
        }
        var webhooks = new ResourceClient(scene.Client, ResourceType.MutatingWebhookConfigurations);
        Assert.That(await webhooks.GetAsync(null, scene.WebhookName, default), Is.Null);
        // A second attempt, as a Job makes after a failure, finds nothing to do.
        Assert.That((await ProxySwapperProgram.RunAsync([.. arguments, "--kubeconfig", scene.Kubeconfig])).ExitCode, Is.Zero);
    }

    [Test]
    public async Task A_downstream_that_rejects_our_login_is_reported_everywhere_and_images_are_left_unchanged_meanwhile()
    {
        var scene = Scene;
        scene.RejectsLogin = true;
        var (source, target) = scene.AddImage("rejected", 222);
        var replica = await scene.StartReplicaAsync(FastChecks, gates: false);
        await TestWait.UntilAsync(() => replica.Log.Contains(" is failing: ", StringComparison.Ordinal), "the log");
        Assert.That(replica.Log, Does.Contain("HTTP 401"));
        Assert.That(
            await GetAsync("/readyz?verbose"),
            Does.Contain($"{scene.Downstream.Address}/mirror is failing").And.Contain("HTTP 401")
        );
        Assert.That(await GetAsync("/metrics"), Does.Contain($"proxyswapper_downstream_up{{registry=\"{scene.Downstream.Address}\"}} 0"));
        // The newer API server of the tests does not serve Events; AccessEventTests has them of an older one.
        if (scene.Real is null)
        {
            await TestWait.UntilAsync(async () => (await EventsAsync(scene, "RegistryFailing")).Count > 0, "the Event");
            var reported = (await EventsAsync(scene, "RegistryFailing"))[0];
            Assert.That(
                ((string?)reported["type"], (string?)reported["regarding"]!["name"]),
                Is.EqualTo(("Warning", $"{scene.Namespace}-replica-1"))
            );
            Assert.That((string?)reported["note"], Does.Contain(scene.Downstream.Address).And.Contain("HTTP 401").And.Contain("unchanged"));
        }
        var pod = await scene.CreateAsync(GateScene.Pod("rejected", source));
        Assert.That((GateScene.GatesOf(pod).Count, GateScene.ImageOf(pod)), Is.EqualTo((0, source)));
        // The login works again.
        scene.RejectsLogin = false;
        await TestWait.UntilAsync(
            async () => GateScene.ImageOf(await scene.DryRunAsync(GateScene.Pod("again", source))) == target,
            "the swap once we are let in"
        );
        if (scene.Real is null)
            await TestWait.UntilAsync(async () => (await EventsAsync(scene, "RegistryRecovered")).Count > 0, "the Event of its recovery");
        Assert.That(await GetAsync("/metrics"), Does.Contain($"proxyswapper_downstream_up{{registry=\"{scene.Downstream.Address}\"}} 1"));
    }

    [Test]
    public async Task With_keep_images_are_rewritten_although_the_downstream_rejects_our_login()
    {
        var scene = Scene;
        scene.RejectsLogin = true;
        var (source, target) = scene.AddImage("kept", 223);
        var replica = await scene.StartReplicaAsync($"{FastChecks}\npopulate: {{gate: {{onFailure: keep}} }}", gates: false);
        await TestWait.UntilAsync(() => replica.Log.Contains(" is failing: ", StringComparison.Ordinal), "the log");
        var pod = await scene.CreateAsync(GateScene.Pod("kept", source));
        Assert.That((GateScene.ImageOf(pod), GateScene.GatesOf(pod).Count), Is.EqualTo((target, 0)), "it is not waited for");
    }

    private static async Task<IReadOnlyList<JsonNode>> EventsAsync(GateScene scene, string reason)
    {
        var list = await scene.Client.GetAsync("/apis/events.k8s.io/v1/events", default);
        return
        [
            .. list!["items"]!
                .AsArray()
                .OfType<JsonNode>()
                .Where(item =>
                    (string?)item["reason"] == reason
                    && ((string?)item["note"])!.Contains(scene.Downstream.Address, StringComparison.Ordinal)
                ),
        ];
    }
}
