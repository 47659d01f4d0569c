using System.Diagnostics.Metrics;
using System.Text.Json.Nodes;
using ProxySwapper.Configuration;
using ProxySwapper.Kubernetes;
using ProxySwapper.Kubernetes.InMemory;
using ProxySwapper.Population;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Population;

/// <summary>If an admission policy rewrites images, the watch finds the Pods: their images are copied, and they are counted.</summary>
[TestFixture]
internal sealed class PolicyModeTests
{
    private InMemoryRegistry _upstream = null!;
    private InMemoryRegistry _downstream = null!;
    private InMemoryApiServer _server = null!;
    private KubernetesClient _client = null!;
    private long _count;

    [SetUp]
    public async Task Start()
    {
        _count = 0;
        _upstream = await InMemoryRegistry.StartAsync();
        _downstream = await InMemoryRegistry.StartAsync();
        _server = await InMemoryApiServer.StartAsync();
        _client = ApiServers.Connect(_server);
        for (var index = 0; index < 4; index++)
            TestImage.Create(95 + index, 1, 100).AddTo(_upstream, $"app{index}", "1");
    }

    [TearDown]
    public async Task Stop()
    {
        _client.Dispose();
        await _server.DisposeAsync();
        await _upstream.DisposeAsync();
        await _downstream.DisposeAsync();
    }

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
        Assert.That(_downstream.Repository("mirror/app1").Find("1"), Is.Null);
    }

    [Test]
    public async Task What_a_new_list_shows_again_is_not_counted_again()
    {
        await using var scene = await StartAsync("swap");
        using var listener = Listen(scene.Get<IMeterFactory>());
        await CreateAsync("one", 1);
        await TestWait.UntilAsync(() => Interlocked.Read(ref _count) == 1, "the first");
        var (lists, watches) = (Requests("list"), Requests("watch"));
        _server.Restart();
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
        await PostAsync(Plain("forged", ($"{_upstream.Address}/app3:1", "elsewhere.example/app3:1")));
        var unmarked = Plain("unmarked", ("", $"{_downstream.Address}/mirror/app3:1"));
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
                Rules = [new() { Match = _upstream.Address, Target = $"{_downstream.Address}/mirror" }],
                ShutdownGracePeriod = TimeSpan.FromSeconds(1),
                AdmissionPolicy = new() { Name = policy },
                Populate = new() { Policy = populate },
            },
            cluster: _server
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

    private int Requests(string verb) => _server.Requests.GetValueOrDefault($"{verb} pods");

    private Task CopiedAsync(int index) =>
        TestWait.UntilAsync(() => _downstream.Repository($"mirror/app{index}").Find("1") is not null, $"the copy of app{index}");

    private Task<JsonObject> CreateAsync(string name, int index) =>
        PostAsync(Plain(name, ($"{_upstream.Address}/app{index}:1", $"{_downstream.Address}/mirror/app{index}:1")));

    /// <summary>A Pod as the policy leaves it: without a gate.</summary>
    private static JsonObject Plain(string name, (string Original, string Target) image)
    {
        var pod = GatedPodSamples.Create("team", name, image);
        pod["spec"]!.AsObject().Remove("schedulingGates");
        pod["metadata"]!["labels"]!.AsObject().Remove(GatedPodSamples.Label);
        return pod;
    }

    private Task<JsonObject> PostAsync(JsonObject pod) => new ResourceClient(_client, ResourceType.Pods).CreateAsync("team", pod, default);
}
