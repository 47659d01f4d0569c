using System.Text.Json.Nodes;
using ProxySwapper.Admission;
using ProxySwapper.Configuration;
using ProxySwapper.Kubernetes.InMemory;
using ProxySwapper.Population;
using ProxySwapper.Population.Cluster;
using ProxySwapper.Population.Downstream;
using ProxySwapper.Population.Work;
using ProxySwapper.Registry;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Population;

/// <summary>Which Pods wait for their images and which do not.</summary>
[TestFixture]
internal sealed partial class PodGatingTests : GateFixture
{
    private const string Node = """{"nodeName":"node1"}""";
    private const string Scheduler = """{"schedulerName":"home-made"}""";
    private const string NodeCritical = """{"priorityClassName":"system-node-critical"}""";
    private const string ClusterCritical = """{"priorityClassName":"system-cluster-critical"}""";
    private const string Ephemeral = """{"containers":[],"ephemeralContainers":[{"name":"e","image":"IMAGE"}]}""";
    private const string Job = """{"ownerReferences":[{"apiVersion":"batch/v1","kind":"Job","name":"j","uid":"u","controller":true}]}""";
    private const string GatedImage = "gated-image.proxyswapper.io/main";
    private const string Mirror = """{"annotations":{"kubernetes.io/config.mirror":"abc"}}""";

    [TestCase("{}", "{}")]
    [TestCase("""{"schedulerName":"default-scheduler"}""", "{}")]
    [TestCase("""{"schedulerName":"mine"}""", "{}")]
    [TestCase("""{"priorityClassName":"high"}""", "{}")]
    [TestCase("""{"schedulingGates":[{"name":"example.com/x"}]}""", "{}")]
    [TestCase("""{"initContainers":[{"name":"i","image":"IMAGE"}]}""", "{}")]
    [TestCase("{}", Job)]
    public async Task These_pods_wait(string spec, string metadata)
    {
        await using var scene = await StartAsync(gate: new() { Schedulers = ["default-scheduler", "mine"] });
        var decision = await scene.ReviewAsync(Review(spec, metadata));
        Assert.That((IsGated(decision), decision.SchedulingGate, Swapped(decision)), Is.EqualTo((true, "proxyswapper.io/image", true)));
    }

    [TestCase(Node, "{}")]
    [TestCase(Scheduler, "{}")]
    [TestCase(NodeCritical, "{}")]
    [TestCase(ClusterCritical, "{}")]
    [TestCase(Ephemeral, "{}")]
    [TestCase("{}", Job)]
    public async Task These_pods_are_swapped_and_do_not_wait(string spec, string metadata)
    {
        await using var scene = await StartAsync(gate: new() { Jobs = false });
        var decision = await scene.ReviewAsync(Review(spec, metadata));
        Assert.That((IsGated(decision), Swapped(decision)), Is.EqualTo((false, true)));
    }

    [Test]
    public async Task A_mirror_pod_is_neither_swapped_nor_does_it_wait()
    {
        await using var scene = await StartAsync();
        var decision = await scene.ReviewAsync(Review("{}", Mirror));
        Assert.That((IsGated(decision), decision.HasPatch), Is.EqualTo((false, false)));
    }

    [TestCase(262_000, false)]
    [TestCase(261_000, true)]
    public async Task A_pod_without_room_for_the_annotations_of_its_new_images_does_not_wait(int size, bool waits)
    {
        await using var scene = await StartAsync();
        var large = new JsonObject { ["annotations"] = new JsonObject { ["x"] = new string('x', size) } };
        var decision = await scene.ReviewAsync(Review("{}", large.ToJsonString()));
        Assert.That(
            (IsGated(decision), decision.Annotations.Length, decision.KeepsOriginalImages),
            Is.EqualTo((waits, waits ? 1 : 0, true))
        );
    }

    [Test]
    public async Task A_dry_run_shows_the_gate_and_copies_nothing()
    {
        await using var scene = await StartAsync();
        var review = JsonNode.Parse(Review("{}", "{}"))!;
        review["request"]!["dryRun"] = true;
        Assert.That(IsGated(await scene.ReviewAsync(review.ToJsonString())), Is.True);
        Assert.That(scene.Queue.WaitingCount + scene.Queue.RunningCount, Is.Zero);
    }

    [Test]
    public async Task A_pod_does_not_wait_when_the_queue_is_full()
    {
        await using var scene = await StartAsync(queueLimit: 1, jobs: 1);
        Hold.Begin();
        scene.Queue.TryEnqueue(Copy("first"), Origin);
        await TestWait.UntilAsync(() => scene.Queue.RunningCount == 1, "the copy that runs");
        Assert.That(IsGated(await scene.ReviewAsync(Review("{}", "{}"))), Is.True, "there is room for one");
        scene.Queue.TryEnqueue(Copy("second"), Origin);
        var decision = await scene.ReviewAsync(Review("{}", "{}"));
        Assert.That((IsGated(decision), Swapped(decision)), Is.EqualTo((false, true)));
    }

    [Test]
    public async Task A_pod_does_not_wait_for_a_registry_that_is_failing_although_its_image_stays_rewritten()
    {
        await using var scene = await StartAsync(
            gate: new() { OnFailure = GateFailurePolicy.Keep },
            checks: TimeSpan.FromMilliseconds(100)
        );
        Assert.That(IsGated(await scene.ReviewAsync(Review("{}", "{}"))), Is.True);
        await Downstream.DisposeAsync();
        await TestWait.UntilAsync(() => scene.Get<DownstreamHealth>().Describe().Length > 0, "three failed checks");
        var decision = await scene.ReviewAsync(Review("{}", "{}"));
        Assert.That((IsGated(decision), Swapped(decision)), Is.EqualTo((false, true)));
    }

    [Test]
    public async Task A_pod_waits_for_the_image_of_a_registry_that_works_although_that_of_another_one_is_failing()
    {
        await using var healthy = await InMemoryRegistry.StartAsync();
        await using var scene = await StartAsync(
            gate: new() { OnFailure = GateFailurePolicy.Keep },
            checks: TimeSpan.FromMilliseconds(100),
            other: new() { Match = "other.example.com", Target = $"{healthy.Address}/mirror" }
        );
        await Downstream.DisposeAsync();
        await scene.ReviewAsync(Review("{}", "{}"));
        await TestWait.UntilAsync(() => scene.Get<DownstreamHealth>().Describe().Length > 0, "three failed checks");
        const string Both = """{"initContainers":[{"name":"i","image":"other.example.com/app:1"}]}""";
        Assert.That(IsGated(await scene.ReviewAsync(Review(Both, "{}"))), Is.True);
    }

    [Test]
    public async Task A_pod_does_not_wait_when_the_program_ends()
    {
        await using var scene = await StartAsync();
        scene.Queue.Close();
        Assert.That(IsGated(await scene.ReviewAsync(Review("{}", "{}"))), Is.False);
    }

    [Test]
    public async Task A_pod_does_not_wait_while_the_watch_is_lost_and_does_when_it_is_back()
    {
        await using var scene = await StartAsync();
        Server.Denied["watch pods"] = Server.Denied["list pods"] = true;
        Server.Restart();
        await TestWait.UntilAsync(() => !scene.Get<PodWatch>().IsConnected, "the watch's end");
        var decision = await scene.ReviewAsync(Review("{}", "{}"));
        Assert.That((IsGated(decision), Swapped(decision)), Is.EqualTo((false, true)));
        Server.Denied.Clear();
        await TestWait.UntilAsync(() => scene.Get<PodWatch>().IsConnected, "the watch");
        Assert.That(IsGated(await scene.ReviewAsync(Review("{}", "{}"))), Is.True);
    }

    [Test]
    public async Task No_pod_waits_on_an_api_server_that_knows_no_gates()
    {
        await using var old = await InMemoryApiServer.StartAsync(new InMemoryApiServerOptions { MinorVersion = 26 });
        await AssertDelayedAsync(old, "scheduling gates require Kubernetes 1.27");
    }

    [TestCase("patch")]
    [TestCase("watch")]
    [TestCase("list")]
    public async Task No_pod_waits_if_we_may_not_release_it(string verb)
    {
        Server.Denied[$"{verb} pods"] = true;
        await AssertDelayedAsync(Server, $"the ServiceAccount has no permission to {verb} pods");
    }

    [Test]
    public async Task A_pod_of_a_rule_that_is_not_populated_does_not_wait()
    {
        await using var scene = await StartAsync(isPopulated: false);
        var decision = await scene.ReviewAsync(Review("{}", "{}"));
        Assert.That((IsGated(decision), Swapped(decision)), Is.EqualTo((false, true)));
    }

    [Test]
    public async Task A_pod_whose_image_was_seen_downstream_does_not_wait()
    {
        TestImage.Create(81, 1, 100).AddTo(Upstream, "app", "1");
        await using var scene = await StartAsync();
        scene.Queue.Known.Remember($"{Downstream.Address}/mirror/app:1", TimeSpan.FromHours(1));
        Assert.That(IsGated(await scene.ReviewAsync(Review("{}", "{}"))), Is.False);
    }

    [Test]
    public async Task A_pod_whose_originals_cannot_be_kept_does_not_wait()
    {
        await using var scene = await StartAsync();
        var large = new JsonObject { ["annotations"] = new JsonObject { ["x"] = new string('x', 262_100) } };
        var decision = await scene.ReviewAsync(Review("{}", large.ToJsonString()));
        Assert.That((IsGated(decision), Swapped(decision), decision.KeepsOriginalImages), Is.EqualTo((false, true, false)));
    }

    private CopyWork Copy(string name) =>
        new(ImageReference.Parse($"{Upstream.Address}/{name}:1"), ImageReference.Parse($"{Downstream.Address}/{name}:1"), []);

    private static PodOrigin Origin => new("team", "other", "default", []);

    private async Task AssertDelayedAsync(InMemoryApiServer server, string obstacle)
    {
        await using var scene = await StartAsync(cluster: server, isConnected: false);
        await TestWait.UntilAsync(() => scene.Get<ClusterCapabilities>().IsKnown, "what the API server can do");
        Assert.That(scene.Get<ClusterCapabilities>().Obstacle, Does.StartWith(obstacle));
        var decision = await scene.ReviewAsync(Review("{}", "{}"));
        Assert.That((IsGated(decision), Swapped(decision)), Is.EqualTo((false, true)));
    }

    private Task<PopulationScene> StartAsync(
        GateOptions? gate = null,
        int queueLimit = 1000,
        int jobs = 2,
        bool isPopulated = true,
        InMemoryApiServer? cluster = null,
        bool isConnected = true,
        TimeSpan? checks = null,
        RuleOptions? other = null
    ) =>
        PopulationScene.StartAsync(
            new ProxySwapperOptions
            {
                ProxyHealth = checks is { } interval ? new() { Interval = interval } : new(),
                Rules =
                [
                    new()
                    {
                        Match = Upstream.Address,
                        Target = $"{Downstream.Address}/mirror",
                        Populate = isPopulated,
                    },
                    .. new[] { other }.OfType<RuleOptions>(),
                ],
                ShutdownGracePeriod = TimeSpan.FromSeconds(1),
                Populate = new()
                {
                    Gate = gate ?? new(),
                    QueueLimit = queueLimit,
                    MaxNumberOfParallelJobs = jobs,
                },
            },
            cluster: cluster ?? Server,
            isConnected: isConnected
        );

    /// <summary>The creation of a Pod with one container and additional spec and metadata.</summary>
    private string Review(string spec, string metadata)
    {
        var pod = new JsonObject
        {
            ["metadata"] = JsonNode.Parse(metadata),
            ["spec"] = JsonNode.Parse(spec.Replace("IMAGE", $"{Upstream.Address}/app:1", StringComparison.Ordinal)),
        };
        pod["metadata"]!["name"] = "app";
        pod["spec"]!["containers"] ??= new JsonArray(new JsonObject { ["name"] = "main", ["image"] = $"{Upstream.Address}/app:1" });
        var review = JsonNode.Parse(
            """
            {"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1",
             "request":{"uid":"u","kind":{"group":"","version":"v1","kind":"Pod"},"namespace":"team","operation":"CREATE"}}
            """
        )!;
        review["request"]!["object"] = pod;
        return review.ToJsonString();
    }

    private static bool IsGated(PodDecision decision) => decision.SchedulingGate is not null || decision.Labels.Length > 0;

    private static bool Swapped(PodDecision decision) => decision.Images.All(image => image.Decision.IsRewritten);
}
