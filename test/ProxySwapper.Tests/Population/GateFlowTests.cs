using System.Text.Json.Nodes;
using ProxySwapper.Configuration;
using ProxySwapper.Kubernetes.InMemory;
using ProxySwapper.Population;
using ProxySwapper.Population.Gates;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Rules;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Population;

/// <summary>Gated Pods on an in-memory API server, with one or two replicas and two registries.</summary>
[TestFixture]
internal sealed class GateFlowTests : GateFixture
{
    [Test]
    public async Task A_pod_is_released_when_its_image_is_downstream_and_not_before()
    {
        Hold.Begin();
        await using var scene = await StartAsync();
        await CreateAsync("app");
        await TestWait.UntilAsync(() => scene.Get<GatedPods>().Count == 1);
        await TestWait.UntilAsync(() => scene.Queue.RunningCount == 1);
        Assert.That(GatedPodSamples.GatesOf(Pod("app")), Is.Not.Empty);
        Hold.End();
        await ReleasedAsync("app");
        Assert.That(GatedPodSamples.ImagesOf(Pod("app")).Single(), Is.EqualTo(Target));
        Assert.That(Downstream.Repository("mirror/team/app").Find("1")?.Digest, Is.EqualTo(Image.Top.Digest));
        await TestWait.UntilAsync(() => scene.Get<GatedPods>().Count == 0);
    }

    [Test]
    public async Task A_pod_whose_image_does_not_exist_is_released_at_once_with_its_original()
    {
        await using var scene = await StartAsync();
        var (original, target) = ($"{Upstream.Address}/team/none:1", $"{Downstream.Address}/mirror/team/none:1");
        var pod = GatedPodSamples.Create("team", "none", (original, target));
        pod["spec"]!["imagePullSecrets"] = new JsonArray(new JsonObject { ["name"] = "of-the-target" });
        await PostAsync(pod);
        await ReleasedAsync("none");
        Assert.That(GatedPodSamples.ImagesOf(Pod("none")).Single(), Is.EqualTo(original));
        // API servers treat that list as immutable.
        Assert.That((string?)Pod("none")["spec"]!["imagePullSecrets"]![0]!["name"], Is.EqualTo("of-the-target"));
        Assert.That((string?)Pod("none")["metadata"]!["annotations"]![GatedPodSamples.LeftOriginal], Does.Contain("404"));
        await TestWait.UntilAsync(() => Events().Any(text => text.Contains("ImageLeftOriginal", StringComparison.Ordinal)));
    }

    [Test]
    public async Task A_pod_whose_image_takes_too_long_is_released_at_the_deadline()
    {
        Hold.Begin();
        await using var scene = await StartAsync(new() { Deadline = TimeSpan.FromSeconds(1) });
        await CreateAsync("slow");
        await ReleasedAsync("slow");
        Assert.That(GatedPodSamples.ImagesOf(Pod("slow")).Single(), Is.EqualTo(Source));
        Assert.That(
            (string?)Pod("slow")["metadata"]!["annotations"]![GatedPodSamples.LeftOriginal],
            Does.Contain("not downstream after 1 s")
        );
    }

    [Test]
    public async Task A_pod_whose_release_is_rejected_is_overdue_until_it_succeeds()
    {
        Hold.Begin();
        await using var scene = await StartAsync(new() { Deadline = TimeSpan.FromSeconds(1) });
        Server.Denied["patch pods"] = true;
        await CreateAsync("stuck");
        await TestWait.UntilAsync(() => scene.Get<GatedPods>() is { Count: 1, OverdueCount: 1 });
        Server.Denied.Clear();
        await ReleasedAsync("stuck");
        await TestWait.UntilAsync(() => scene.Get<GatedPods>().OverdueCount == 0);
    }

    [Test]
    public async Task An_image_that_is_downstream_needs_no_upstream()
    {
        Image.AddTo(Downstream, "mirror/team/gone", "1");
        await using var scene = await StartAsync();
        await PostAsync(
            GatedPodSamples.Create("team", "gone", ($"{Upstream.Address}/team/gone:1", $"{Downstream.Address}/mirror/team/gone:1"))
        );
        await ReleasedAsync("gone");
        Assert.That(GatedPodSamples.ImagesOf(Pod("gone")).Single(), Does.StartWith(Downstream.Address));
        await TestWait.UntilAsync(() => scene.Queue.RunningCount + scene.Queue.WaitingCount == 0);
        await TestWait.UntilAsync(() => scene.Queue.Known.Count == 1);
    }

    [Test]
    public async Task One_of_two_replicas_copies_and_both_remember_it()
    {
        await using var one = await StartAsync(replica: "one");
        await using var two = await StartAsync(replica: "two");
        for (var i = 0; i < 10; i++)
            await CreateAsync($"app{i}");
        for (var i = 0; i < 10; i++)
            await ReleasedAsync($"app{i}");
        await TestWait.UntilAsync(() => one.Queue.Known.Count == 1 && two.Queue.Known.Count == 1);
        Assert.That(Upstream.Count(HttpMethod.Get, InMemoryRegistryRequestKind.Blob), Is.EqualTo(Image.Blobs.Count));
        // Pods are released before the claim.
        await TestWait.UntilAsync(() => Leases() == 0);
    }

    [Test]
    public async Task Pods_left_by_a_replica_are_found_by_the_next_one_by_label()
    {
        Hold.Begin();
        await using (var first = await StartAsync(replica: "one"))
        {
            await CreateAsync("app");
            await TestWait.UntilAsync(() => first.Queue.RunningCount == 1);
        }
        Assert.That(GatedPodSamples.GatesOf(Pod("app")), Is.Not.Empty);
        Hold.End();
        await using var next = await StartAsync(replica: "two");
        await ReleasedAsync("app");
        Assert.That(GatedPodSamples.ImagesOf(Pod("app")).Single(), Is.EqualTo(Target));
    }

    [Test]
    public async Task An_image_to_which_another_webhook_added_its_digest_is_brought_and_not_restored()
    {
        await using var scene = await StartAsync();
        var pinned = $"{Target}@{Image.Top.Digest}";
        var pod = GatedPodSamples.Create("team", "resolved", (Source, Target));
        pod["spec"]!["containers"]![0]!["image"] = pinned;
        await PostAsync(pod);
        await ReleasedAsync("resolved");
        Assert.That(GatedPodSamples.ImagesOf(Pod("resolved")).Single(), Is.EqualTo(pinned));
        Assert.That(Downstream.Repository("mirror/team/app").Find(Image.Top.Digest.ToString()), Is.Not.Null);
    }

    [Test]
    public async Task An_image_that_is_not_populated_stays_rewritten_next_to_one_that_is_waited_for()
    {
        await using var scene = await StartAsync();
        await PostAsync(
            GatedPodSamples.Create("team", "mixed", (Source, Target), ("quay.io/team/other:1", "cache.example.com/team/other:1"))
        );
        await ReleasedAsync("mixed");
        Assert.That(GatedPodSamples.ImagesOf(Pod("mixed")), Is.EqualTo([Target, "cache.example.com/team/other:1"]));
        Assert.That(Pod("mixed")["metadata"]!["annotations"]![GatedPodSamples.LeftOriginal], Is.Null);
    }

    [Test]
    public async Task A_pod_that_is_made_while_the_watch_is_lost_is_found_when_it_is_back()
    {
        await using var scene = await StartAsync();
        Server.Denied["watch pods"] = Server.Denied["list pods"] = true;
        Server.Restart();
        await TestWait.UntilAsync(() => !scene.Get<PodWatch>().IsConnected);
        Assert.That(scene.Get<PodWatch>().Describe(), Does.Contain("no watch of Pods since"));
        await CreateAsync("app");
        Server.Denied.Clear();
        await ReleasedAsync("app");
        await TestWait.UntilAsync(() => scene.Get<PodWatch>().IsConnected);
    }

    [Test]
    public async Task A_review_that_belongs_to_no_pod_copies_nothing()
    {
        await using var scene = await StartAsync();
        await scene.AdmitAsync([Source]);
        await CreateAsync("app");
        await ReleasedAsync("app");
        Assert.That(Copied(), Is.EqualTo(["mirror/team/app"]), "only what the API server has shown");
        Image.AddTo(Upstream, "team/other", "1");
        await scene.AdmitAsync([$"{Upstream.Address}/team/other:1"]);
        await CreateAsync("again");
        await ReleasedAsync("again");
        Assert.That((scene.Queue.WaitingCount + scene.Queue.RunningCount, Copied().Count()), Is.EqualTo((0, 1)));
    }

    [Test]
    public async Task Images_of_pods_without_a_gate_are_copied_as_well()
    {
        await using var scene = await StartAsync();
        var pod = GatedPodSamples.Create("team", "plain", (Source, Target));
        pod["spec"]!.AsObject().Remove("schedulingGates");
        pod["metadata"]!["labels"]!.AsObject().Remove(GatedPodSamples.Label);
        await PostAsync(pod);
        await TestWait.UntilAsync(() => scene.Queue.Known.Count == 1);
    }

    [Test]
    public async Task With_dry_run_nothing_is_copied_and_gated_pods_are_released_with_their_originals()
    {
        await using var scene = await StartAsync(isDryRun: true);
        await CreateAsync("gated");
        await ReleasedAsync("gated");
        var plain = GatedPodSamples.Create("team", "plain", (Source, Target));
        plain["spec"]!.AsObject().Remove("schedulingGates");
        plain["metadata"]!["labels"]!.AsObject().Remove(GatedPodSamples.Label);
        await PostAsync(plain);
        await CreateAsync("again");
        await ReleasedAsync("again");
        Assert.That(GatedPodSamples.ImagesOf(Pod("gated")).Single(), Is.EqualTo(Source));
        Assert.That((string?)Pod("gated")["metadata"]!["annotations"]![GatedPodSamples.LeftOriginal], Does.Contain("dryRun is on"));
        Assert.That((scene.Queue.WaitingCount + scene.Queue.RunningCount, Copied().Count()), Is.EqualTo((0, 0)));
    }

    [Test]
    public async Task What_is_queued_when_dry_run_is_switched_on_is_not_copied()
    {
        Image.AddTo(Upstream, "team/second", "1");
        var (original, target) = ($"{Upstream.Address}/team/second:1", $"{Downstream.Address}/mirror/team/second:1");
        Hold.Begin();
        await using var scene = await StartAsync(jobs: 1);
        await CreateAsync("first");
        await TestWait.UntilAsync(() => scene.Queue.RunningCount == 1);
        await PostAsync(GatedPodSamples.Create("team", "second", (original, target)));
        await TestWait.UntilAsync(() => scene.Queue.WaitingCount == 1);
        var rules = scene.Get<ConfigurationMonitor>();
        rules.Apply(RuleSet.Compile(rules.Current.Options with { DryRun = true }), TimeProvider.System.GetUtcNow());
        Hold.End();
        await ReleasedAsync("second");
        await TestWait.UntilAsync(() => scene.Queue.WaitingCount + scene.Queue.RunningCount == 0);
        Assert.That(GatedPodSamples.ImagesOf(Pod("second")).Single(), Is.EqualTo(original));
        Assert.That(Copied(), Is.EqualTo(["mirror/team/app"]), "what was under way");
    }

    private IEnumerable<string> Copied() =>
        Downstream.Repositories.Where(repository => !repository.Value.Manifests.IsEmpty).Select(repository => repository.Key);

    private string Source => SourceOf("app");

    private string Target => TargetOf("app");

    private Task<PopulationScene> StartAsync(GateOptions? gate = null, string replica = "replica-1", bool isDryRun = false, int jobs = 2) =>
        PopulationScene.StartAsync(
            new ProxySwapperOptions
            {
                DryRun = isDryRun,
                Rules =
                [
                    new() { Match = Upstream.Address, Target = $"{Downstream.Address}/mirror" },
                    new()
                    {
                        Match = "quay.io",
                        Target = "cache.example.com",
                        Populate = false,
                    },
                ],
                ShutdownGracePeriod = TimeSpan.FromSeconds(1),
                Populate = new() { Gate = gate ?? new(), MaxNumberOfParallelJobs = jobs },
            },
            cluster: Server,
            replica: replica
        );

    private Task<JsonObject> CreateAsync(string name) => PostAsync(GatedPodSamples.Create("team", name, (Source, Target)));

    private IEnumerable<string> Events() => ObjectsOf("events.k8s.io/v1", "events").Select(item => item.ToJsonString());

    private int Leases() => ObjectsOf("coordination.k8s.io/v1", "leases").Count;

    private IReadOnlyList<JsonObject> ObjectsOf(string version, string resource) =>
        Server.Store.List(new Selection(new ApiPath(version, resource, null, null, ""), "", "")).Objects;
}
