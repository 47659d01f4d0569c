using System.Text.Json.Nodes;
using ProxySwapper.Configuration;
using ProxySwapper.Kubernetes.InMemory;
using ProxySwapper.Population.Cluster;
using ProxySwapper.Population.Downstream;
using ProxySwapper.Population.Gates;
using ProxySwapper.Population.Queue;
using ProxySwapper.Population.Work;
using ProxySwapper.Registry;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Population;

/// <summary>A node whose clock differs from the API server's, which writes when a Pod was created.</summary>
[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class ClockSkewTests : GateFixture
{
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(1);

    private readonly ManualTimeProvider _ours = new();
    private readonly ManualTimeProvider _servers = new();

    protected override InMemoryApiServerOptions ServerOptions => new() { Time = _servers };

    [TestCase(0)]
    [TestCase(10)]
    [TestCase(-10)]
    public async Task A_pod_that_a_starting_replica_finds_waits_until_the_deadline_after_its_creation(int minutesAhead)
    {
        (minutesAhead > 0 ? _ours : _servers).Advance(TimeSpan.FromMinutes(Math.Abs(minutesAhead)));
        Hold.Begin();
        var created = _servers.GetUtcNow();
        await PostAsync(GatedPodSamples.Create("team", "app", (SourceOf("app"), TargetOf("app"))));
        Advance(20);
        await using var scene = await PopulationScene.StartAsync(
            new ProxySwapperOptions
            {
                Rules = [new() { Match = Upstream.Address, Target = $"{Downstream.Address}/mirror" }],
                ShutdownGracePeriod = TimeSpan.Zero,
            },
            cluster: Server,
            time: _ours
        );
        await TestWait.UntilAsync(() => scene.Get<GatedPods>().Count == 1, "the Pod");
        Advance(38);
        await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
        Assert.That(GatedPodSamples.GatesOf(Pod("app")), Has.Count.EqualTo(1));
        Advance(1);
        // The server states its time in whole seconds. The clock goes so slowly that the release itself takes next to no time by it.
        await TestWait.UntilAsync(
            () =>
            {
                Advance(0.02);
                return GatedPodSamples.GatesOf(Pod("app")).Count == 0;
            },
            "the release"
        );
        Assert.That(ImageOf("app"), Is.EqualTo(SourceOf("app")));
        Assert.That(_servers.GetUtcNow() - created, Is.EqualTo(TimeSpan.FromSeconds(60)).Within(10 * Step));
    }

    [TestCase(-3)]
    [TestCase(3)]
    public async Task What_the_page_shows_is_right_as_soon_as_a_wrong_clock_is_corrected(int hours)
    {
        _ours.Correction = TimeSpan.FromHours(hours);
        Hold.Begin();
        await using var scene = await PopulationScene.StartAsync(
            new ProxySwapperOptions
            {
                Rules = [new() { Match = Upstream.Address, Target = $"{Downstream.Address}/mirror" }],
                ShutdownGracePeriod = TimeSpan.Zero,
            },
            cluster: Server,
            time: _ours
        );
        await PostAsync(GatedPodSamples.Create("team", "app", (SourceOf("app"), TargetOf("app"))));
        await TestWait.UntilAsync(
            () =>
                scene.Queue.RunningCount == 1
                && scene.Get<GatedPods>().Count == 1
                && scene.Get<ClaimWatch>().Held.Count == 1
                && scene.Get<DownstreamHealth>().Snapshot() is [{ CheckedAt: not null }],
            "the copy, its claim, the Pod and the first check of the registry"
        );
        var work = new CopyWork(ImageReference.Parse(SourceOf("other")), ImageReference.Parse(TargetOf("other")), []);
        var job = new PopulationJob(work, new("team", "other", "default", []), 0, default);
        scene.Get<FinishedImages>().Add(job, new TransferResult(TransferOutcome.Copied, 1, ""), TimeSpan.Zero);
        scene.Get<FailedImages>().Add(job);
        _ours.Correction = TimeSpan.Zero;
        var state = (await scene.ReadStateAsync()).AsObject();
        var times =
            from list in state
            where list.Value is JsonArray
            from item in list.Value.AsArray()
            from field in item.AsObject()
            where field.Key is "since" or "renewedAt" || field.Key.EndsWith("at", StringComparison.OrdinalIgnoreCase)
            select (Field: $"{list.Key}.{field.Key}", Time: (DateTimeOffset)field.Value!);
        Assert.That(
            times.Select(time => time.Field).Order(StringComparer.Ordinal),
            Is.EqualTo(
                new[]
                {
                    "claims.renewedAt",
                    "claims.since",
                    "downstreams.checkedAt",
                    "finished.at",
                    "gated.since",
                    "givenUp.at",
                    "running.startedAt",
                }
            )
        );
        foreach (var (field, time) in times)
            Assert.That(time, Is.EqualTo(_servers.GetUtcNow()).Within(10 * Step), field);
    }

    private void Advance(double seconds)
    {
        _ours.Advance(seconds * Step);
        _servers.Advance(seconds * Step);
    }
}
