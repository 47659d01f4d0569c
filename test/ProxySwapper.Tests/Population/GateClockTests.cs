using System.Text.Json.Nodes;
using ProxySwapper.Configuration;
using ProxySwapper.Kubernetes;
using ProxySwapper.Kubernetes.InMemory;
using ProxySwapper.Population;
using ProxySwapper.Population.Cluster;
using ProxySwapper.Population.Gates;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Registries;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Population;

/// <summary>A replica whose population runs on a clock that the test moves, with an API server that fails.</summary>
[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class GateClockTests : IDisposable
{
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(1);

    private readonly TestImage _image = TestImage.Create(91, 2, 1000);
    private readonly RequestHold _hold = new();
    private ManualTimeProvider _time = null!;
    private readonly CapturedLog _log = new();
    private InMemoryRegistry _upstream = null!;
    private InMemoryRegistry _downstream = null!;
    private InMemoryApiServer _server = null!;
    private KubernetesClient _client = null!;

    [SetUp]
    public async Task Start()
    {
        _time = new ManualTimeProvider();
        _hold.Begin();
        _upstream = await _hold.StartRegistryAsync();
        _downstream = await InMemoryRegistry.StartAsync();
        _image.AddTo(_upstream, "team/app", "1");
        _server = await InMemoryApiServer.StartAsync(new InMemoryApiServerOptions { Time = _time });
        _client = ApiServers.Connect(_server, @namespace: "proxyswapper");
    }

    [TearDown]
    public async Task Stop()
    {
        _hold.End();
        _client.Dispose();
        await _server.DisposeAsync();
        await _upstream.DisposeAsync();
        await _downstream.DisposeAsync();
    }

    public void Dispose() => _log.Dispose();

    [Test]
    public async Task While_the_watch_is_lost_deadlines_apply_and_unseen_pods_are_released_when_it_is_back()
    {
        await using var scene = await StartAsync();
        await CreateAsync("seen");
        await TestWait.UntilAsync(() => scene.Get<GatedPods>().Count == 1, "the first Pod");
        _server.Denied["watch pods"] = _server.Denied["list pods"] = true;
        _server.Restart();
        await TestWait.UntilAsync(() => !scene.Get<PodWatch>().IsConnected, "the watch's end");
        await CreateAsync("unseen");
        var lost = _time.GetUtcNow();
        await AdvanceUntilAsync(() => GatesOf("seen").Count == 0, "the release at the deadline");
        Assert.That((ImageOf("seen"), _time.GetUtcNow() - lost), Is.EqualTo((Source, TimeSpan.FromSeconds(60))).Within(Step));
        await AdvanceUntilAsync(() => _time.GetUtcNow() - lost >= TimeSpan.FromMinutes(5), "five minutes");
        Assert.That(GatesOf("unseen"), Has.Count.EqualTo(1));
        Assert.That(scene.Get<PodWatch>().Describe(), Does.Contain("no watch of Pods since").And.Contain("cannot"));
        _server.Denied.Clear();
        await AdvanceUntilAsync(() => GatesOf("unseen").Count == 0, "the release of what was not seen");
        Assert.That(ImageOf("unseen"), Is.EqualTo(Source));
        Assert.That(
            _time.GetUtcNow() - lost,
            Is.LessThan(TimeSpan.FromMinutes(7)),
            "the watch is tried again at intervals, and the Pod's time was over"
        );
        await AdvanceUntilAsync(() => scene.Get<PodWatch>().IsConnected, "all watches");
    }

    [Test]
    public async Task A_pod_that_is_deleted_while_the_watch_is_lost_is_forgotten_when_it_is_back()
    {
        await using var scene = await StartAsync();
        await CreateAsync("gone");
        await TestWait.UntilAsync(() => scene.Get<GatedPods>().Count == 1, "the Pod");
        _server.Denied["watch pods"] = _server.Denied["list pods"] = true;
        _server.Restart();
        await TestWait.UntilAsync(() => !scene.Get<PodWatch>().IsConnected, "the watch's end");
        await new ResourceClient(_client, ResourceType.Pods).DeleteAsync("team", "gone", null, default);
        _server.Denied.Clear();
        await AdvanceUntilAsync(() => scene.Get<GatedPods>().Count == 0, "the Pod's end");
    }

    [Test]
    public async Task A_copy_whose_lease_another_replica_took_is_left_to_it_and_the_pod_is_released_when_it_is_done()
    {
        await using var scene = await StartAsync();
        await CreateAsync("app");
        await TestWait.UntilAsync(async () => await LeaseAsync() is not null, "the copy");
        var lease = (await LeaseAsync())!;
        var taken = await new LeaseClient(_client).TryUpdateAsync(
            lease with
            {
                HolderIdentity = "other",
                RenewTime = _time.GetUtcNow() + TimeSpan.FromSeconds(20),
            },
            default
        );
        await AdvanceUntilAsync(() => _log.Text.Contains("another replica has taken over the Lease", StringComparison.Ordinal), "the loss");
        Assert.That(scene.Queue.RunningCount, Is.Zero, "nothing is copied beside the other one");
        Assert.That((await LeaseAsync())!.HolderIdentity, Is.EqualTo("other"));
        // The other replica has copied it.
        _image.AddTo(_downstream, "mirror/team/app", "1");
        _hold.End();
        await new LeaseClient(_client).TryDeleteAsync(taken!, default);
        await AdvanceUntilAsync(() => GatesOf("app").Count == 0, "the release");
        Assert.That(
            (ImageOf("app"), _upstream.Count(HttpMethod.Get, InMemoryRegistryRequestKind.Blob)),
            Is.EqualTo((Target, 0)),
            "what is there is not copied again"
        );
    }

    [Test]
    public async Task A_copy_whose_new_holder_dies_is_taken_over_after_thirty_seconds()
    {
        await using var scene = await StartAsync(new() { Deadline = TimeSpan.FromMinutes(10) });
        await CreateAsync("app");
        await TestWait.UntilAsync(async () => await LeaseAsync() is not null, "the copy");
        var lost = _time.GetUtcNow();
        await new LeaseClient(_client).TryUpdateAsync((await LeaseAsync())! with { HolderIdentity = "other", RenewTime = lost }, default);
        await AdvanceUntilAsync(() => _log.Text.Contains("another replica has taken over the Lease", StringComparison.Ordinal), "the loss");
        _hold.End();
        await AdvanceUntilAsync(() => _time.GetUtcNow() >= lost + CopyClaims.Duration - Step, "the last second of the Lease");
        Assert.That(IsTakenOver, Is.False, "the Lease has not expired");
        _time.Advance(lost + CopyClaims.Duration - _time.GetUtcNow());
        // The clock stands still 30 seconds after the other replica's last sign of life.
        await TestWait.UntilAsync(IsTakenOver, "the takeover");
        await AdvanceUntilAsync(() => GatesOf("app").Count == 0, "the release");
        Assert.That(ImageOf("app"), Is.EqualTo(Target));

        bool IsTakenOver() => _log.Text.Contains("taking over the expired Lease of other", StringComparison.Ordinal);
    }

    [Test]
    public async Task The_program_is_ready_when_pods_are_watched()
    {
        _server.Denied["watch pods"] = true;
        await using var scene = await StartAsync(isConnected: false);
        var readiness = scene.Get<PodWatchReadiness>();
        Assert.That(readiness.State.IsReady, Is.False);
        Assert.That(readiness.State.Detail, Does.Match("Pods are not watched yet|no watch of Pods since"));
        _server.Denied.Clear();
        await AdvanceUntilAsync(() => readiness.State is { IsReady: true, Detail: "" }, "the watch");
        _server.Denied["watch pods"] = _server.Denied["list pods"] = true;
        _server.Restart();
        await TestWait.UntilAsync(() => readiness.State.Detail.StartsWith("no watch of Pods since", StringComparison.Ordinal));
        Assert.That(readiness.State.IsReady, Is.True, "images are swapped all the same");
    }

    [Test]
    public async Task A_start_without_a_watch_delays_readiness_for_ten_seconds_at_most()
    {
        _server.Denied["watch pods"] = true;
        await using var scene = await StartAsync(isConnected: false);
        var readiness = scene.Get<PodWatchReadiness>();
        _time.Advance(PodWatchReadiness.LongestWait - Step);
        Assert.That(readiness.State.IsReady, Is.False);
        _time.Advance(Step);
        Assert.That((readiness.State.IsReady, readiness.State.Detail.Length > 0), Is.EqualTo((true, true)));
    }

    [TestCase(PopulatePolicy.None)]
    [TestCase(PopulatePolicy.Delayed)]
    [TestCase(PopulatePolicy.Immediate)]
    public async Task A_start_without_gates_waits_for_no_watch(PopulatePolicy policy)
    {
        _server.Denied["watch pods"] = true;
        await using var scene = await StartAsync(isConnected: false, policy: policy);
        Assert.That(scene.Get<PodWatchReadiness>().State.IsReady, Is.True);
    }

    private string Source => $"{_upstream.Address}/team/app:1";

    private string Target => $"{_downstream.Address}/mirror/team/app:1";

    private Task<PopulationScene> StartAsync(
        GateOptions? gate = null,
        bool isConnected = true,
        PopulatePolicy policy = PopulatePolicy.Gate
    ) =>
        PopulationScene.StartAsync(
            new ProxySwapperOptions
            {
                Rules = [new() { Match = _upstream.Address, Target = $"{_downstream.Address}/mirror" }],
                ShutdownGracePeriod = TimeSpan.Zero,
                Populate = new() { Policy = policy, Gate = gate ?? new() },
            },
            _log,
            _server,
            time: _time,
            isConnected: isConnected
        );

    /// <summary>Advances the clock second by second, letting all waiters act.</summary>
    private Task AdvanceUntilAsync(Func<bool> condition, string what) =>
        TestWait.UntilAsync(
            async () =>
            {
                if (condition())
                    return true;
                _time.Advance(Step);
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
                return condition();
            },
            what
        );

    private Task<JsonObject> CreateAsync(string name) =>
        new ResourceClient(_client, ResourceType.Pods).CreateAsync("team", GatedPodSamples.Create("team", name, (Source, Target)), default);

    private Task<Lease?> LeaseAsync() => new LeaseClient(_client).GetAsync("proxyswapper", CopyClaims.NameOf(Target), default);

    private JsonObject Pod(string name) => _server.FindPod("team", name)!;

    private IReadOnlyList<string> GatesOf(string name) => GatedPodSamples.GatesOf(Pod(name));

    private string ImageOf(string name) => GatedPodSamples.ImagesOf(Pod(name))[0];
}
