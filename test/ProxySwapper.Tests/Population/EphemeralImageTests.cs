using System.Diagnostics.Metrics;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Hosting;
using ProxySwapper.Configuration;
using ProxySwapper.Kubernetes;
using ProxySwapper.Population;
using ProxySwapper.Population.Cluster;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Population;

/// <summary>
/// Images of ephemeral containers are copied, although their Pods have a node and cannot be labelled: after a review, which shows the
/// original. Where nothing shows it, the image may be one that was written like that, and not the copy of another.
/// </summary>
[TestFixture]
internal sealed class EphemeralImageTests : PopulationFixture
{
    /// <summary>How many reviews of one namespace are looked at.</summary>
    private const int OfNamespace = 20;

    /// <summary>The same of all namespaces that the API server has shown no Pod of.</summary>
    private const int Unseen = 50;

    [TestCase(PopulatePolicy.Gate)]
    [TestCase(PopulatePolicy.Delayed)]
    public async Task What_a_review_adds_is_copied_once_the_API_server_shows_it(PopulatePolicy policy)
    {
        await using var scene = await StartAsync(policy, Regex);
        await CreateAsync("forged", "elsewhere.example/tool:1");
        await CreateAsync("web", $"{Downstream.Address}/mirror/app1:1");
        // Nobody has this Pod, and the other runs something else.
        await scene.ReviewAsync(ReviewOf("absent", 0));
        await scene.ReviewAsync(ReviewOf("forged", 0));
        var decision = await scene.ReviewAsync(ReviewOf("web", 1));
        Assert.That(decision.Images.Single().Decision.Target!.ToString(), Is.EqualTo($"{Downstream.Address}/mirror/app1:1"));
        await CopiedAsync(1);
        Assert.That(Downstream.Repository("mirror/app0").Find("1"), Is.Null);
    }

    [Test]
    public async Task What_is_written_at_the_target_is_neither_copied_nor_moved()
    {
        TestImage.Create(90, 1, 100).AddTo(Downstream, "mirror/app0", "1");
        var own = Downstream.Repository("mirror/app0").Find("1");
        // The registry of the rule has images of these names too, of somebody else; the third is named in both ways.
        string[] written = [$"{Downstream.Address}/mirror/app0:1", $"{Downstream.Address}/mirror/app2:1"];
        var both = $"{Downstream.Address}/mirror/app1:1";
        await CreateAsync("web", [.. written, both, both]);
        await using var scene = await StartAsync(PopulatePolicy.Delayed, Match);
        await scene.ReviewAsync(ReviewOf("web", [.. written, both, $"{Upstream.Address}/app1:1"]));
        await CopiedAsync(1);
        await IdleAsync(scene);
        Assert.That(Downstream.Repository("mirror/app0").Find("1"), Is.EqualTo(own));
        Assert.That(Downstream.Repository("mirror/app2").Find("1"), Is.Null);
    }

    [Test]
    public async Task The_reconciliation_leaves_those_alone_whose_original_nobody_recorded()
    {
        await CreateAsync("web", $"{Downstream.Address}/mirror/app2:1");
        await using var scene = await StartAsync(PopulatePolicy.Delayed, Match);
        await scene.Get<IEnumerable<IHostedService>>().OfType<Reconciler>().Single().RunAsync(Client, default);
        await IdleAsync(scene);
        Assert.That(Downstream.Repository("mirror/app2").Find("1"), Is.Null);
    }

    [Test]
    public async Task Reviews_of_pods_that_are_never_stored_delay_no_other_and_what_exceeds_the_limit_is_reported()
    {
        var (log, time) = (new CapturedLog(), new ManualTimeProvider());
        await CreateAsync("web", $"{Downstream.Address}/mirror/app1:1");
        await using var scene = await StartAsync(PopulatePolicy.Delayed, Match, log, time);
        var seen = scene.Get<SeenNamespaces>();
        await TestWait.UntilAsync(() => !seen.Contains("forged-0"), "the first list");
        for (var index = 0; index < 6; index++)
            seen.Add($"team-{index}");
        var dropped = 0L;
        using var listener = ListenToDropped(scene.Get<IMeterFactory>(), count => Interlocked.Add(ref dropped, count));
        for (var index = 0; index < 90; index++)
            await scene.ReviewAsync(ReviewOf($"absent-{index}", 0, $"team-{index % 6}"));
        await scene.ReviewAsync(ReviewOf("web", 1));
        await time.WaitForTimerAsync(TimeSpan.FromSeconds(1), 91);
        time.Advance(TimeSpan.FromSeconds(1));
        await CopiedAsync(1);
        Assert.That(log.Text, Does.Not.Contain("are not copied: too many"));
        Assert.That(Interlocked.Read(ref dropped), Is.Zero);
        for (var index = 0; index < 300; index++)
            await scene.ReviewAsync(ReviewOf($"absent-{index}", 0, $"forged-{index}"));
        Assert.That(log.Text, Does.Contain(", and perhaps of others, are not copied: too many"));
        Assert.That(Interlocked.Read(ref dropped), Is.EqualTo(300 - Unseen));
        // The rest is kept for namespaces that the API server has shown.
        await CreateAsync("second", $"{Downstream.Address}/mirror/app2:1");
        await scene.ReviewAsync(ReviewOf("second", 2));
        Assert.That(Interlocked.Read(ref dropped), Is.EqualTo(300 - Unseen));
        await TestWait.UntilAsync(() =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return IsCopied(2);
        });
    }

    private static MeterListener ListenToDropped(IMeterFactory meters, Action<long> drop)
    {
        var listener = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Meter.Scope == meters && instrument.Name == "proxyswapper_populate_dropped_total")
                    self.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((_, count, _, _) => drop(count));
        listener.Start();
        return listener;
    }

    [Test]
    public async Task Reviews_of_one_namespace_keep_no_image_of_another_from_being_copied()
    {
        var (log, time) = (new CapturedLog(), new ManualTimeProvider());
        await CreateAsync("web", $"{Downstream.Address}/mirror/app1:1");
        await using var scene = await StartAsync(PopulatePolicy.Delayed, Match, log, time);
        for (var index = 0; index < 300; index++)
            await scene.ReviewAsync(ReviewOf($"absent-{index}", 0, "hostile"));
        Assert.That(log.Text, Does.Contain("Pod hostile/absent-20, and perhaps of others, are not copied: too many"));
        await time.WaitForTimerAsync(TimeSpan.FromSeconds(1), OfNamespace);
        await scene.ReviewAsync(ReviewOf("web", 1));
        await time.WaitForTimerAsync(TimeSpan.FromSeconds(1), OfNamespace + 1);
        time.Advance(TimeSpan.FromSeconds(1));
        await CopiedAsync(1);
        // The places are given back at the first look: the Pod of an ephemeral container exists already.
        await CreateInAsync("hostile", "web", $"{Downstream.Address}/mirror/app2:1");
        var dropped = 0L;
        using var listener = ListenToDropped(scene.Get<IMeterFactory>(), count => Interlocked.Add(ref dropped, count));
        await TestWait.UntilAsync(async () =>
        {
            var before = Interlocked.Read(ref dropped);
            await scene.ReviewAsync(ReviewOf("web", 2, "hostile"));
            return Interlocked.Read(ref dropped) == before;
        });
        await time.FireAsync(TimeSpan.FromSeconds(1));
        await CopiedAsync(2);
    }

    /// <summary>Far fewer Pods than are looked at, but much text: about 60,000 characters each, with their targets.</summary>
    [Test]
    public async Task Reviews_of_many_long_images_are_dropped()
    {
        await CreateAsync("web", $"{Downstream.Address}/mirror/app1:1");
        await using var scene = await StartAsync(PopulatePolicy.Delayed, Match, time: new ManualTimeProvider());
        await TestWait.UntilAsync(() => !scene.Get<SeenNamespaces>().Contains("hostile"), "the first list");
        string[] images = [.. Enumerable.Repeat($"{Upstream.Address}/".PadRight(298, 'a') + ":1", 100)];
        var dropped = 0L;
        using var listener = ListenToDropped(scene.Get<IMeterFactory>(), count => Interlocked.Add(ref dropped, count));
        for (var review = 0; review < 3; review++)
            await ReviewAsync("hostile");
        Assert.That(Interlocked.Read(ref dropped), Is.EqualTo(200), "two that are over the 100,000 characters of a namespace");
        for (var review = 0; review < 20; review++)
            await ReviewAsync($"forged-{review}");
        Assert.That(Interlocked.Read(ref dropped), Is.EqualTo(200 + 1300), "seven more are within half a million");

        Task ReviewAsync(string @namespace) =>
            scene.ReviewAsync(ReviewOf("absent", images).Replace("\"team\"", $"\"{@namespace}\"", StringComparison.Ordinal));
    }

    [Test]
    public async Task A_pod_whose_images_are_stored_late_is_looked_at_again()
    {
        var time = new ManualTimeProvider();
        await CreateAsync("web", "elsewhere.example/tool:1");
        await using var scene = await StartAsync(PopulatePolicy.Delayed, Match, time: time);
        await scene.ReviewAsync(ReviewOf("web", 1));
        await time.FireAsync(TimeSpan.FromSeconds(1));
        await time.WaitForTimerAsync(TimeSpan.FromSeconds(4));
        await new ResourceClient(Client, ResourceType.Pods).DeleteAsync("team", "web", null, default);
        await CreateAsync("web", $"{Downstream.Address}/mirror/app1:1");
        time.Advance(TimeSpan.FromSeconds(4));
        await CopiedAsync(1);
    }

    private RuleOptions Match => new() { Match = Upstream.Address, Target = $"{Downstream.Address}/mirror" };

    private RuleOptions Regex => new() { MatchRegex = $"{Upstream.Address}/(.*)", Replace = $"{Downstream.Address}/mirror/$1" };

    private Task<PopulationScene> StartAsync(
        PopulatePolicy policy,
        RuleOptions rule,
        CapturedLog? log = null,
        ManualTimeProvider? time = null
    ) =>
        PopulationScene.StartAsync(
            new ProxySwapperOptions
            {
                Rules = [rule],
                ShutdownGracePeriod = TimeSpan.FromSeconds(1),
                Populate = new() { Policy = policy },
            },
            log,
            Server,
            time: time
        );

    private static Task IdleAsync(PopulationScene scene) =>
        TestWait.UntilAsync(() => scene.Queue.WaitingCount + scene.Queue.RunningCount == 0, "the end of all copies");

    /// <summary>A running Pod that was rewritten, with ephemeral containers of these images.</summary>
    private Task<JsonObject> CreateAsync(string name, params string[] images) => CreateInAsync("team", name, images);

    private Task<JsonObject> CreateInAsync(string @namespace, string name, params string[] images) =>
        new ResourceClient(Client, ResourceType.Pods).CreateAsync(
            @namespace,
            JsonNode
                .Parse(
                    $$$"""
                    {"apiVersion":"v1","kind":"Pod",
                     "metadata":{"namespace":"{{{@namespace}}}","name":"{{{name}}}","labels":{"k8s-proxy-image-swapper":"patched-image"}},
                     "spec":{"nodeName":"node-1","containers":[{"name":"c","image":"other.example/c:1"}],
                       "ephemeralContainers":{{{ContainersOf(images).ToJsonString()}}}},
                     "status":{"phase":"Running"}}
                    """
                )!
                .AsObject(),
            default
        );

    private static JsonArray ContainersOf(string[] images) =>
        new([.. images.Select((image, index) => new JsonObject { ["name"] = $"debugger-{index}", ["image"] = image })]);

    private string ReviewOf(string name, int index, string @namespace = "team") =>
        ReviewOf(name, [$"{Upstream.Address}/app{index}:1"]).Replace("\"team\"", $"\"{@namespace}\"", StringComparison.Ordinal);

    private static string ReviewOf(string name, string[] images)
    {
        var old = JsonNode.Parse($$$"""{"metadata":{"namespace":"team","name":"{{{name}}}"},"spec":{"containers":[]}}""")!;
        var pod = old.DeepClone();
        pod["spec"]!["ephemeralContainers"] = ContainersOf(images);
        var review = JsonNode.Parse(
            """
            {"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u","operation":"UPDATE",
             "kind":{"group":"","version":"v1","kind":"Pod"},"namespace":"team","subResource":"ephemeralcontainers"}}
            """
        )!;
        (review["request"]!["oldObject"], review["request"]!["object"]) = (old, pod);
        return review.ToJsonString();
    }
}
