using System.Text.Json.Nodes;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.IntegrationTests.Population;

/// <summary>Pods that wait for their images, with the built program and an API server: in memory, and a real one if available.</summary>
internal sealed class GateTests(object kind) : GateFixture(kind)
{
    private const string OtherGate = "example.com/other";

    [Test]
    public async Task A_pod_waits_for_its_image_and_the_next_one_with_it_does_not()
    {
        var scene = Scene;
        var (source, target) = scene.AddImage("app", 201);
        await scene.StartReplicaAsync();
        scene.Hold();
        var pod = await scene.CreateAsync(GateScene.Pod("first", source));
        Assert.That((GateScene.GatesOf(pod).Single(), GateScene.ImageOf(pod)), Is.EqualTo((GateScene.Gate, target)));
        Assert.That((string?)pod["metadata"]!["labels"]!["proxyswapper.io/gated"], Is.EqualTo("true"));
        await TestWait.UntilAsync(async () => await ClaimsAsync(scene, target), "the copy");
        // Long enough for a release that does not wait for the copy: without one, it takes a few milliseconds.
        await Task.Delay(TimeSpan.FromMilliseconds(300), TimeProvider.System);
        Assert.That(GateScene.GatesOf(await scene.FindAsync("first")), Is.EqualTo([GateScene.Gate]), "before the image is downstream");
        scene.EndHold();
        var released = await scene.ReleasedAsync("first");
        Assert.That(scene.Downstream.Repository("mirror/team/app").Find("1"), Is.Not.Null, "before the Pod is released");
        Assert.That(
            (GateScene.ImageOf(released), released["metadata"]!["labels"]!["proxyswapper.io/gated"]),
            Is.EqualTo((target, (JsonNode?)null))
        );
        var next = await scene.CreateAsync(GateScene.Pod("second", source));
        Assert.That((GateScene.GatesOf(next).Count, GateScene.ImageOf(next)), Is.EqualTo((0, target)));
    }

    [Test]
    public async Task Every_kind_of_pod_that_may_wait_waits_and_is_released()
    {
        var scene = Scene;
        var (source, target) = scene.AddImage("kinds", 202);
        await scene.StartReplicaAsync();
        scene.Hold();
        var generated = GateScene.Pod("", source);
        generated["metadata"] = new JsonObject { ["generateName"] = "generated-" };
        var owned = GateScene.Pod("owned", source);
        owned["metadata"]!["ownerReferences"] = new JsonArray(
            new JsonObject
            {
                ["apiVersion"] = "apps/v1",
                ["kind"] = "ReplicaSet",
                ["name"] = "web",
                ["uid"] = Guid.NewGuid().ToString(),
                ["controller"] = true,
            }
        );
        var gated = GateScene.Pod("gated", source);
        gated["spec"]!["schedulingGates"] = new JsonArray(new JsonObject { ["name"] = OtherGate });
        var names = new List<string>();
        foreach (var pod in new[] { generated, owned, gated })
        {
            var created = await scene.CreateAsync(pod);
            names.Add((string)created["metadata"]!["name"]!);
            Assert.That(GateScene.GatesOf(created), Does.Contain(GateScene.Gate), names[^1]);
        }
        scene.EndHold();
        foreach (var name in names)
            Assert.That(GateScene.ImageOf(await scene.ReleasedAsync(name)), Is.EqualTo(target));
        Assert.That(GateScene.GatesOf(await scene.FindAsync("gated")), Is.EqualTo([OtherGate]), "of somebody else");
    }

    [Test]
    public async Task Pods_that_must_not_wait_are_swapped_and_do_not()
    {
        var scene = Scene;
        var (source, target) = scene.AddImage("never", 203);
        await scene.StartReplicaAsync("populate: {gate: {jobs: false}}");
        scene.Hold();
        var onNode = GateScene.Pod("on-node", source);
        onNode["spec"]!["nodeName"] = "node1";
        var otherScheduler = GateScene.Pod("other-scheduler", source);
        otherScheduler["spec"]!["schedulerName"] = "home-made";
        var ofJob = GateScene.Pod("of-job", source);
        ofJob["metadata"]!["ownerReferences"] = new JsonArray(
            new JsonObject
            {
                ["apiVersion"] = "batch/v1",
                ["kind"] = "Job",
                ["name"] = "job",
                ["uid"] = Guid.NewGuid().ToString(),
                ["controller"] = true,
            }
        );
        foreach (var pod in new[] { onNode, otherScheduler, ofJob })
        {
            var created = await scene.CreateAsync(pod);
            Assert.That((GateScene.GatesOf(created).Count, GateScene.ImageOf(created)), Is.EqualTo((0, target)));
        }
        var critical = GateScene.Pod("critical", source);
        critical["spec"]!["priorityClassName"] = "system-cluster-critical";
        Assert.That(GateScene.GatesOf(await scene.CreateAsync(critical)), Is.Empty);
        var dry = await scene.DryRunAsync(GateScene.Pod("dry", source));
        Assert.That(GateScene.GatesOf(dry), Is.EqualTo([GateScene.Gate]), "as it would be");
        scene.EndHold();
    }

    [Test]
    public async Task An_image_volume_is_swapped_only_when_its_image_is_known_to_be_there()
    {
        var scene = Scene;
        var (source, target) = scene.AddImage("data", 204);
        await scene.StartReplicaAsync();
        var first = await scene.CreateAsync(WithVolume("first", source));
        Assert.That(VolumeOf(first), Is.EqualTo(source));
        await TestWait.UntilAsync(() => scene.Downstream.Repository("mirror/team/data").Find("1") is not null, "the volume's image");
        await TestWait.UntilAsync(async () => VolumeOf(await scene.DryRunAsync(WithVolume("probe", source))) == target);
        Assert.That(VolumeOf(await scene.CreateAsync(WithVolume("second", source))), Is.EqualTo(target));
    }

    [Test]
    public async Task A_pod_whose_image_does_not_exist_starts_with_its_original_also_with_updates_reviewed()
    {
        var scene = Scene;
        await scene.StartReplicaAsync(updates: true);
        var source = $"{scene.Upstream.Address}/team/nowhere:1";
        Assert.That(GateScene.GatesOf(await scene.CreateAsync(GateScene.Pod("lost", source))), Is.EqualTo([GateScene.Gate]));
        var released = await scene.ReleasedAsync("lost");
        Assert.That(GateScene.ImageOf(released), Is.EqualTo(source));
        Assert.That((string?)released["metadata"]!["annotations"]!["proxyswapper.io/left-original"], Does.Contain("404"));
        // A later update does not rewrite it either.
        await scene.Client.PatchAsync(
            $"/api/v1/namespaces/{scene.Namespace}/pods/lost",
            ProxySwapper.Kubernetes.PatchKind.Merge,
            new JsonObject { ["metadata"] = new JsonObject { ["labels"] = new JsonObject { ["touched"] = "yes" } } },
            default
        );
        Assert.That(GateScene.ImageOf(await scene.FindAsync("lost")), Is.EqualTo(source));
        var metrics = await scene.Replicas[0].Management.GetStringAsync(new Uri("/metrics", UriKind.Relative));
        Assert.That(
            metrics,
            Does.Contain("proxyswapper_images_restored_total 1")
                .And.Contain("proxyswapper_gate_duration_seconds_count{result=\"restored\"} 1")
                .And.Contain("proxyswapper_gated_pods 0")
        );
    }

    [Test]
    public async Task With_keep_a_pod_is_released_with_the_image_that_is_missing()
    {
        var scene = Scene;
        await scene.StartReplicaAsync("populate: {gate: {onFailure: keep}}");
        await scene.CreateAsync(GateScene.Pod("kept", $"{scene.Upstream.Address}/team/nowhere:1"));
        Assert.That(GateScene.ImageOf(await scene.ReleasedAsync("kept")), Does.StartWith(scene.Downstream.Address));
    }

    [Test]
    public async Task A_released_pod_can_name_the_digest_that_was_copied()
    {
        var scene = Scene;
        var (source, target) = scene.AddImage("pinned", 205);
        await scene.StartReplicaAsync("populate: {gate: {pinDigests: true}}");
        await scene.CreateAsync(GateScene.Pod("pinned", source));
        var digest = scene.Upstream.Repository("team/pinned").Find("1")!.Digest;
        Assert.That(GateScene.ImageOf(await scene.ReleasedAsync("pinned")), Is.EqualTo($"{target}@{digest}"));
    }

    [Test]
    public async Task Two_replicas_copy_once_and_a_third_one_continues_when_both_are_killed()
    {
        var scene = Scene;
        var (source, target) = scene.AddImage("killed", 206);
        await scene.StartReplicaAsync();
        await scene.StartReplicaAsync(isRegistered: false);
        scene.Hold();
        for (var i = 0; i < 3; i++)
            await scene.CreateAsync(GateScene.Pod($"killed{i}", source));
        await TestWait.UntilAsync(
            async () =>
                JsonNode.Parse(await ManagementAsync(scene, 0, "/populate"))!["claims"]!
                    .AsArray()
                    .Any(claim => (string?)claim!["target"] == target),
            "the claim"
        );
        foreach (var replica in scene.Replicas)
            replica.Kill();
        scene.EndHold();
        await scene.StartReplicaAsync(isRegistered: false);
        for (var i = 0; i < 3; i++)
            Assert.That(GateScene.ImageOf(await scene.ReleasedAsync($"killed{i}")), Is.EqualTo(target));
        Assert.That(scene.Replicas[2].Log, Does.Contain("taking over the expired Lease"));
    }

    [Test]
    public async Task Of_two_replicas_one_copies_and_the_other_knows_it_then()
    {
        var scene = Scene;
        var images = Enumerable.Range(0, 5).Select(i => scene.AddImage($"twice{i}", 210 + i)).ToList();
        await scene.StartReplicaAsync();
        await scene.StartReplicaAsync(isRegistered: false);
        foreach (var (source, index) in images.Select((image, index) => (image.Source, index)))
            await scene.CreateAsync(GateScene.Pod($"twice{index}", source));
        for (var i = 0; i < images.Count; i++)
            Assert.That(GateScene.ImageOf(await scene.ReleasedAsync($"twice{i}")), Is.EqualTo(images[i].Target));
        foreach (var replica in new[] { 0, 1 })
            await TestWait.UntilAsync(
                async () => (int)JsonNode.Parse(await ManagementAsync(scene, replica, "/populate"))!["known"]! == images.Count,
                "what both know"
            );
        // Two layers and a configuration each.
        Assert.That(scene.Upstream.Count(HttpMethod.Get, InMemoryRegistryRequestKind.Blob), Is.EqualTo(images.Count * 3));
    }

    [Test]
    public async Task A_pod_that_waits_is_released_although_the_webhook_was_removed()
    {
        var scene = Scene;
        var (source, target) = scene.AddImage("removed", 207);
        await scene.StartReplicaAsync();
        scene.Hold();
        await scene.CreateAsync(GateScene.Pod("removed", source));
        await scene.RemoveWebhookAsync();
        scene.EndHold();
        Assert.That(GateScene.ImageOf(await scene.ReleasedAsync("removed")), Is.EqualTo(target));
    }

    [TestCase("release")]
    [TestCase("disable")]
    public async Task A_command_releases_every_pod_with_its_original_when_no_replica_is_left(string command)
    {
        var scene = Scene;
        var (source, _) = scene.AddImage("left", 208);
        await scene.StartReplicaAsync();
        scene.Hold();
        await scene.CreateAsync(GateScene.Pod("left", source));
        scene.Replicas[0].Kill();
        string[] arguments =
            command == "release" ? ["release", "-n", scene.Namespace] : ["disable", "--discard", "--name", scene.WebhookName];
        var (exitCode, output, error) = await ProxySwapperProgram.RunAsync([.. arguments, "--kubeconfig", scene.Kubeconfig]);
        Assert.That((exitCode, error), Is.EqualTo((0, "")), output);
        Assert.That(output, Does.Contain($"{scene.Namespace}/left: released with its original images"));
        Assert.That(GateScene.ImageOf(await scene.ReleasedAsync("left")), Is.EqualTo(source));
    }

    private static Task<string> ManagementAsync(GateScene scene, int replica, string path) =>
        scene.Replicas[replica].Management.GetStringAsync(new Uri(path, UriKind.Relative));

    private static JsonObject WithVolume(string name, string image)
    {
        // No rule matches the container's image.
        var pod = GateScene.Pod(name, "example.invalid/main:1");
        pod["spec"]!["volumes"] = new JsonArray(
            new JsonObject
            {
                ["name"] = "data",
                ["image"] = new JsonObject { ["reference"] = image, ["pullPolicy"] = "IfNotPresent" },
            }
        );
        return pod;
    }

    private static string VolumeOf(JsonObject pod) =>
        (string)pod["spec"]!["volumes"]!.AsArray().Single(volume => (string?)volume!["name"] == "data")!["image"]!["reference"]!;

    private static async Task<bool> ClaimsAsync(GateScene scene, string target)
    {
        var state = JsonNode.Parse(await scene.Replicas[0].Management.GetStringAsync(new Uri("/populate", UriKind.Relative)))!;
        return state["claims"]!.AsArray().Any(claim => (string?)claim!["target"] == target);
    }
}
