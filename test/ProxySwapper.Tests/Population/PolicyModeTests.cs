using System.Diagnostics.Metrics;
using System.Text.Json.Nodes;
using ProxySwapper.Configuration;
using ProxySwapper.Kubernetes;
using ProxySwapper.Population;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Population;

/// <summary>If an admission policy rewrites images, the watch finds the Pods: their images are copied, and they are counted.</summary>
[TestFixture]
internal sealed class PolicyModeTests : PopulationFixture
{
    private long _count;

    [SetUp]
    public void Reset() => _count = 0;

    [Test]
    public async Task Images_of_pods_that_the_policy_rewrote_are_copied_and_the_pods_are_counted()
    {
        await CreateAsync("before", 0);
        await using var scene = await StartAsync("swap");
        using var listener = Listen(scene.Get<IMeterFactory>());
        await CopiedAsync(0);
        await CreateAsync("one", 1);
        await CreateAsync("two", 2);
        await CopiedAsync(1);
        await CopiedAsync(2);
        await TestWait.UntilAsync(() => Interlocked.Read(ref _count) == 2, "the count of the two that were made meanwhile");
    }

    [Test]
    public async Task Pods_are_counted_without_population_too()
    {
        await using var scene = await StartAsync("swap", PopulatePolicy.None);
        using var listener = Listen(scene.Get<IMeterFactory>());
        await TestWait.UntilAsync(() => Requests("watch") >= 2 && scene.Get<PodWatch>().IsConnected, "the watches");
        await CreateAsync("one", 1);
        await TestWait.UntilAsync(() => Interlocked.Read(ref _count) == 1, "the count");
        Assert.That(Downstream.Repository("mirror/app1").Find("1"), Is.Null);
    }

    [Test]
    public async Task What_a_new_list_shows_again_is_not_counted_again()
    {
        await using var scene = await StartAsync("swap");
        using var listener = Listen(scene.Get<IMeterFactory>());
        await CreateAsync("one", 1);
        await TestWait.UntilAsync(() => Interlocked.Read(ref _count) == 1, "the first");
        var (lists, watches) = (Requests("list"), Requests("watch"));
        Server.Restart();
        // There are three watches with different selectors.
        await TestWait.UntilAsync(() => Requests("list") >= lists + 3 && Requests("watch") >= watches + 3, "the new lists");
        await TestWait.UntilAsync(() => scene.Get<PodWatch>().IsConnected, "the watch");
        await CreateAsync("two", 2);
        await TestWait.UntilAsync(() => Interlocked.Read(ref _count) >= 2, "the second");
        await CopiedAsync(2);
        Assert.That(Interlocked.Read(ref _count), Is.EqualTo(2));
    }

    [Test]
    public async Task A_pod_with_our_label_whose_image_no_rule_made_is_not_counted()
    {
        await using var scene = await StartAsync("swap");
        using var listener = Listen(scene.Get<IMeterFactory>());
        await PostAsync(Plain("forged", ($"{Upstream.Address}/app3:1", "elsewhere.example/app3:1")));
        var unmarked = Plain("unmarked", ("", $"{Downstream.Address}/mirror/app3:1"));
        unmarked["metadata"]!.AsObject().Remove("annotations");
        await PostAsync(unmarked);
        await CreateAsync("one", 1);
        await TestWait.UntilAsync(() => Interlocked.Read(ref _count) > 0, "the one");
        await CopiedAsync(1);
        Assert.That(Interlocked.Read(ref _count), Is.EqualTo(1));
    }

    [Test]
    public async Task What_the_webhook_rewrote_is_no_work_of_a_policy()
    {
        await using var scene = await StartAsync(null);
        using var listener = Listen(scene.Get<IMeterFactory>());
        await CreateAsync("one", 1);
        await CopiedAsync(1);
        Assert.That(Interlocked.Read(ref _count), Is.Zero);
    }

    private Task<PopulationScene> StartAsync(string? policy, PopulatePolicy populate = PopulatePolicy.Delayed) =>
        PopulationScene.StartAsync(
            new ProxySwapperOptions
            {
                Rules = [new() { Match = Upstream.Address, Target = $"{Downstream.Address}/mirror" }],
                ShutdownGracePeriod = TimeSpan.FromSeconds(1),
                AdmissionPolicy = new() { Name = policy },
                Populate = new() { Policy = populate },
            },
            cluster: Server
        );

    private MeterListener Listen(IMeterFactory meters)
    {
        var listener = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Meter.Scope == meters && instrument.Name == "proxyswapper_admission_policy_pods_total")
                    self.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((_, value, _, _) => Interlocked.Add(ref _count, value));
        listener.Start();
        return listener;
    }

    private int Requests(string verb) => Server.Requests.GetValueOrDefault($"{verb} pods");

    private Task<JsonObject> CreateAsync(string name, int index) =>
        PostAsync(Plain(name, ($"{Upstream.Address}/app{index}:1", $"{Downstream.Address}/mirror/app{index}:1")));

    /// <summary>A Pod as the policy leaves it: without a gate.</summary>
    private static JsonObject Plain(string name, (string Original, string Target) image)
    {
        var pod = GatedPodSamples.Create("team", name, image);
        pod["spec"]!.AsObject().Remove("schedulingGates");
        pod["metadata"]!["labels"]!.AsObject().Remove(GatedPodSamples.Label);
        return pod;
    }

    private Task<JsonObject> PostAsync(JsonObject pod) => new ResourceClient(Client, ResourceType.Pods).CreateAsync("team", pod, default);
}
