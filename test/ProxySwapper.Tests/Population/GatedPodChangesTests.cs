using System.Text.Json.Nodes;
using ProxySwapper.Configuration;
using ProxySwapper.Kubernetes;
using ProxySwapper.Population.Gates;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Population;

/// <summary>Pods that users changed while they wait, or that name images in unusual ways.</summary>
[TestFixture]
internal sealed class GatedPodChangesTests : GateFixture
{
    /// <summary>By default, the webhook is not called for updates.</summary>
    [Test]
    public async Task An_image_that_a_user_changed_while_its_pod_waits_is_neither_waited_for_nor_restored()
    {
        Hold.Begin();
        await using var scene = await StartAsync();
        await CreateAsync("changed");
        await TestWait.UntilAsync(() => scene.Queue.RunningCount == 1, "the copy");
        await PatchAsync("changed", Replace("/spec/containers/0/image", "other:2"));
        await ReleasedAsync("changed");
        var metadata = Pod("changed")["metadata"]!;
        Assert.That((ImageOf("changed"), metadata["annotations"]![GatedPodSamples.LeftOriginal]), Is.EqualTo(("other:2", (JsonNode?)null)));
    }

    [TestCase("false")]
    [TestCase("")]
    public async Task A_pod_whose_label_got_another_value_is_released_all_the_same(string value)
    {
        Hold.Begin();
        await using var scene = await StartAsync();
        await CreateAsync("relabelled");
        await TestWait.UntilAsync(() => scene.Queue.RunningCount == 1, "the copy");
        await PatchAsync(
            "relabelled",
            Replace($"/metadata/labels/{GatedPodSamples.Label.Replace("/", "~1", StringComparison.Ordinal)}", value)
        );
        // All watches have seen that once they show a Pod that came later.
        await CreateAsync("later");
        await TestWait.UntilAsync(() => scene.Get<GatedPods>().Count == 2, "both");
        Hold.End();
        await ReleasedAsync("relabelled");
        Assert.That(
            (ImageOf("relabelled"), Pod("relabelled")["metadata"]!["labels"]![GatedPodSamples.Label]),
            Is.EqualTo((TargetOf("app"), (JsonNode?)null))
        );
    }

    [Test]
    public async Task An_image_is_brought_although_another_container_names_its_target_without_an_original()
    {
        await using var scene = await StartAsync();
        var pod = GatedPodSamples.Create("team", "twice", (SourceOf("app"), TargetOf("app")));
        pod["spec"]!["initContainers"] = new JsonArray(new JsonObject { ["name"] = "setup", ["image"] = TargetOf("app") });
        await PostAsync(pod);
        await ReleasedAsync("twice");
        Assert.That(ImageOf("twice"), Is.EqualTo(TargetOf("app")));
        Assert.That(Downstream.Repository("mirror/team/app").Find("1"), Is.Not.Null);
    }

    private Task<PopulationScene> StartAsync() =>
        PopulationScene.StartAsync(
            new ProxySwapperOptions
            {
                Rules = [new() { Match = Upstream.Address, Target = $"{Downstream.Address}/mirror" }],
                ShutdownGracePeriod = TimeSpan.FromSeconds(1),
            },
            cluster: Server
        );

    private Task<JsonObject> CreateAsync(string name) =>
        PostAsync(GatedPodSamples.Create("team", name, (SourceOf("app"), TargetOf("app"))));

    private Task<JsonObject> PatchAsync(string name, JsonObject operation) =>
        new PodClient(Client).PatchAsync("team", name, new JsonArray(operation), "kubectl", default);

    private static JsonObject Replace(string path, string value) =>
        new()
        {
            ["op"] = "replace",
            ["path"] = path,
            ["value"] = value,
        };
}
