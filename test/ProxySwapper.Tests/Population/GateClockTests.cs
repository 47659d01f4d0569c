using System.Text.Json.Nodes;
using ProxySwapper.Configuration;
using ProxySwapper.Kubernetes;
using ProxySwapper.Kubernetes.InMemory;
using ProxySwapper.Population;
using ProxySwapper.Population.Cluster;
using ProxySwapper.Population.Gates;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Population;

/// <summary>A replica whose population runs on a clock that the test moves, with an API server that fails.</summary>
[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class GateClockTests : GateFixture, IDisposable
{
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(1);

    private readonly ManualTimeProvider _time = new();
    private readonly CapturedLog _log = new();

    private volatile bool _isCutOff;

    protected override InMemoryApiServerOptions ServerOptions =>
        new()
        {
            Time = _time,
            Interceptor = (context, next) =>
            {
                if (!_isCutOff || context.Request.Headers.Authorization != "Bearer replica-1")
                    return next(context);
                context.Abort();
                return Task.CompletedTask;
            },
        };

    [SetUp]
    public void HoldUpstream() => Hold.Begin();

    public void Dispose() => _log.Dispose();

    [Test]
    public async Task While_the_watch_is_lost_deadlines_apply_and_unseen_pods_are_released_when_it_is_back()
    {
        await using var scene = await StartAsync();
        await CreateAsync("seen");
        await TestWait.UntilAsync(() => scene.Get<GatedPods>().Count == 1, "the first Pod");
        LoseWatch();
        await TestWait.UntilAsync(() => !scene.Get<PodWatch>().IsConnected, "the watch's end");
        await CreateAsync("unseen");
        var lost = _time.GetUtcNow();
        await AdvanceToAsync(lost + TimeSpan.FromSeconds(59));
        Assert.That(GatesOf("seen"), Has.Count.EqualTo(1));
        _time.Advance(Step);
        await AdvanceSlowlyUntilAsync(() => GatesOf("seen").Count == 0, "the release at the deadline");
        Assert.That((ImageOf("seen"), _time.GetUtcNow() - lost), Is.EqualTo((Source, TimeSpan.FromSeconds(60))).Within(5 * Step));
        await AdvanceToAsync(lost + TimeSpan.FromMinutes(5));
        Assert.That(GatesOf("unseen"), Has.Count.EqualTo(1));
        Assert.That(scene.Get<PodWatch>().Describe(), Does.Contain("no watch of Pods since").And.Contain("cannot"));
        Server.Denied.Clear();
        await AdvanceUntilAsync(() => GatesOf("unseen").Count == 0, "the release of what was not seen");
        Assert.That(ImageOf("unseen"), Is.EqualTo(Source));
        Assert.That(_time.GetUtcNow() - lost, Is.LessThan(TimeSpan.FromMinutes(10)), "the watch is tried again at intervals");
        await AdvanceUntilAsync(() => scene.Get<PodWatch>().IsConnected, "all watches");
    }

    [Test]
    public async Task A_pod_that_is_deleted_while_the_watch_is_lost_is_forgotten_when_it_is_back()
    {
        await using var scene = await StartAsync();
        await CreateAsync("gone");
        await TestWait.UntilAsync(() => scene.Get<GatedPods>().Count == 1, "the Pod");
        LoseWatch();
        await TestWait.UntilAsync(() => !scene.Get<PodWatch>().IsConnected, "the watch's end");
        await new ResourceClient(Client, ResourceType.Pods).DeleteAsync("team", "gone", null, default);
        Server.Denied.Clear();
        await AdvanceUntilAsync(() => scene.Get<GatedPods>().Count == 0, "the Pod's end");
    }

    [Test]
    public async Task A_copy_whose_lease_another_replica_took_is_left_to_it_and_the_pod_is_released_when_it_is_done()
    {
        await using var scene = await StartAsync(new() { Deadline = TimeSpan.FromMinutes(10) });
        await CreateAsync("app");
        await ClaimedAsync();
        var lease = (await LeaseAsync())!;
        var taken = await new LeaseClient(Client).TryUpdateAsync(
            lease with
            {
                HolderIdentity = "other",
                RenewTime = _time.GetUtcNow() + TimeSpan.FromSeconds(20),
            },
            default
        );
        _time.Advance(CopyClaims.RenewInterval);
        await LoggedAsync("another replica has taken over the Lease");
        await TestWait.UntilAsync(() => scene.Queue.RunningCount == 0, "nothing is copied beside the other one");
        Assert.That((await LeaseAsync())!.HolderIdentity, Is.EqualTo("other"));
        // The other replica has copied it.
        Image.AddTo(Downstream, "mirror/team/app", "1");
        Hold.End();
        await new LeaseClient(Client).TryDeleteAsync(taken!, default);
        await AdvanceUntilAsync(() => GatesOf("app").Count == 0, "the release");
        Assert.That(
            (ImageOf("app"), Upstream.Count(HttpMethod.Get, InMemoryRegistryRequestKind.Blob)),
            Is.EqualTo((Target, 0)),
            "what is there is not copied again"
        );
    }

    [Test]
    public async Task A_copy_whose_new_holder_dies_is_taken_over_after_thirty_seconds()
    {
        await using var scene = await StartAsync(new() { Deadline = TimeSpan.FromMinutes(10) });
        await CreateAsync("app");
        await ClaimedAsync();
        var lost = _time.GetUtcNow();
        await new LeaseClient(Client).TryUpdateAsync((await LeaseAsync())! with { HolderIdentity = "other", RenewTime = lost }, default);
        _time.Advance(CopyClaims.RenewInterval);
        await LoggedAsync("another replica has taken over the Lease");
        Hold.End();
        await AdvanceToAsync(lost + CopyClaims.Duration - Step);
        Assert.That(IsTakenOver, Is.False, "the Lease has not expired");
        _time.Advance(Step);
        // The clock stands still 30 seconds after the other replica's last sign of life.
        await AdvanceSlowlyUntilAsync(IsTakenOver, "the takeover");
        await AdvanceUntilAsync(() => GatesOf("app").Count == 0, "the release");
        Assert.That(ImageOf("app"), Is.EqualTo(Target));

        bool IsTakenOver() => _log.Text.Contains("taking over the expired Lease of other", StringComparison.Ordinal);
    }

    [Test]
    public async Task A_replica_that_alone_loses_the_api_server_leaves_the_copy_to_another_one()
    {
        await using var one = await StartAsync(new() { Deadline = TimeSpan.FromMinutes(10) });
        await CreateAsync("app");
        await ClaimedAsync();
        await using var two = await StartAsync(new() { Deadline = TimeSpan.FromMinutes(10) }, replica: "replica-2");
        await TestWait.UntilAsync(() => two.Get<GatedPods>().Count == 1, "the Pod at the other replica");
        CutOff();
        await LoseClaimAsync();
        await TestWait.UntilAsync(() => one.Queue.RunningCount == 0, "the end of the copy");
        Assert.That((await LeaseAsync())!.HolderIdentity, Is.EqualTo("replica-1"), "it has stopped before another one takes over");
        Hold.End();
        await AdvanceUntilAsync(() => GatesOf("app").Count == 0, "the release by the other replica");
        Assert.That(ImageOf("app"), Is.EqualTo(Target));
        Assert.That(
            _log.Text,
            Does.Contain("taking over the expired Lease of replica-1").And.Not.Contain("without a Lease"),
            "nothing is copied without a claim beside the other one"
        );
        var blobs = Upstream.Count(HttpMethod.Get, InMemoryRegistryRequestKind.Blob);
        _time.Advance(CopyClaims.UnreachableTimeout);
        await AdvanceUntilAsync(() => one.Queue is { WaitingCount: 0, RunningCount: 0 }, "the cut-off replica's own look at the image");
        Assert.That(Upstream.Count(HttpMethod.Get, InMemoryRegistryRequestKind.Blob), Is.EqualTo(blobs), "it is there");
    }

    [Test]
    public async Task When_the_api_server_does_not_respond_for_minutes_the_image_is_copied_without_a_claim()
    {
        await using var scene = await StartAsync(new() { Deadline = TimeSpan.FromMinutes(10) });
        await CreateAsync("app");
        await ClaimedAsync();
        CutOff();
        var lost = _time.GetUtcNow();
        await LoseClaimAsync();
        Hold.End();
        await AdvanceSlowlyUntilAsync(() => _log.Text.Contains("Cannot claim images", StringComparison.Ordinal), "the wait");
        _time.Advance(CopyClaims.UnreachableTimeout - (10 * Step));
        await TestWait.UntilAsync(() => scene.Queue is { WaitingCount: 1, RunningCount: 0 }, "the next attempt");
        Assert.That(IsCopied(), Is.False);
        await AdvanceUntilAsync(IsCopied, "the copy without a claim");
        Assert.That(_time.GetUtcNow() - lost, Is.GreaterThan(CopyClaims.UnreachableTimeout));
        Assert.That(_log.Text, Does.Contain("without a Lease, and possibly by other replicas too"));
        _isCutOff = false;
        await AdvanceUntilAsync(() => GatesOf("app").Count == 0, "the release");
        Assert.That(ImageOf("app"), Is.EqualTo(Target));

        bool IsCopied() => Downstream.Repositories.Values.Any(repository => !repository.Tags.IsEmpty);
    }

    [Test]
    public async Task The_program_is_ready_when_pods_are_watched()
    {
        Server.Denied["watch pods"] = true;
        await using var scene = await StartAsync(isConnected: false);
        var readiness = scene.Get<PodWatchReadiness>();
        Assert.That(readiness.State.IsReady, Is.False);
        Assert.That(readiness.State.Detail, Does.Match("Pods are not watched yet|no watch of Pods since"));
        Server.Denied.Clear();
        await AdvanceUntilAsync(() => readiness.State is { IsReady: true, Detail: "" }, "the watch");
        LoseWatch();
        await TestWait.UntilAsync(() => readiness.State.Detail.StartsWith("no watch of Pods since", StringComparison.Ordinal));
        Assert.That(readiness.State.IsReady, Is.True, "images are swapped all the same");
    }

    [Test]
    public async Task A_start_without_a_watch_delays_readiness_for_ten_seconds_at_most()
    {
        Server.Denied["watch pods"] = true;
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
        Server.Denied["watch pods"] = true;
        await using var scene = await StartAsync(isConnected: false, policy: policy);
        Assert.That(scene.Get<PodWatchReadiness>().State.IsReady, Is.True);
    }

    private string Source => SourceOf("app");
    private string Target => TargetOf("app");

    private Task<PopulationScene> StartAsync(
        GateOptions? gate = null,
        bool isConnected = true,
        PopulatePolicy policy = PopulatePolicy.Gate,
        string replica = "replica-1"
    ) =>
        PopulationScene.StartAsync(
            new ProxySwapperOptions
            {
                Rules = [new() { Match = Upstream.Address, Target = $"{Downstream.Address}/mirror" }],
                ShutdownGracePeriod = TimeSpan.Zero,
                Populate = new() { Policy = policy, Gate = gate ?? new() },
            },
            _log,
            Server,
            replica,
            _time,
            isConnected
        );

    private void LoseWatch()
    {
        Server.Denied["watch pods"] = Server.Denied["list pods"] = true;
        Server.Restart();
    }

    /// <summary>The first replica's connections to the API server break, and no other ones are made.</summary>
    private void CutOff()
    {
        _isCutOff = true;
        Server.BreakWatches();
    }

    /// <summary>Waits until the copy has its Lease, and the claim its timers.</summary>
    private async Task ClaimedAsync()
    {
        await TestWait.UntilAsync(async () => await LeaseAsync() is not null, "the copy");
        await _time.WaitForTimerAsync(CopyClaim.Validity);
    }

    /// <summary>Advances the clock to the end of a claim that cannot be renewed. It was never renewed before.</summary>
    private async Task LoseClaimAsync()
    {
        await AdvanceToAsync(_time.GetUtcNow() + CopyClaim.Validity);
        await LoggedAsync("its Lease was not renewed for 25 s");
    }

    private Task LoggedAsync(string text) => TestWait.UntilAsync(() => _log.Text.Contains(text, StringComparison.Ordinal), text);

    /// <summary>Advances the clock second by second, letting all waiters act.</summary>
    private Task AdvanceToAsync(DateTimeOffset end) => AdvanceUntilAsync(() => _time.GetUtcNow() >= end, $"{end:O}");

    /// <summary>Lets the clock almost stand still: a timer that was set while it moved counts from then on.</summary>
    private Task AdvanceSlowlyUntilAsync(Func<bool> condition, string what) => AdvanceUntilAsync(condition, what, 0.01 * Step);

    /// <summary>Advances the clock until a condition, by default second by second: real requests take a part of a second each.</summary>
    private Task AdvanceUntilAsync(Func<bool> condition, string what, TimeSpan? step = null) =>
        TestWait.UntilAsync(
            async () =>
            {
                if (condition())
                    return true;
                _time.Advance(step ?? Step);
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
                return condition();
            },
            what
        );

    private Task<JsonObject> CreateAsync(string name) => PostAsync(GatedPodSamples.Create("team", name, (Source, Target)));

    private Task<Lease?> LeaseAsync() => new LeaseClient(Client).GetAsync("proxyswapper", CopyClaims.NameOf(Target), default);

    private IReadOnlyList<string> GatesOf(string name) => GatedPodSamples.GatesOf(Pod(name));
}
