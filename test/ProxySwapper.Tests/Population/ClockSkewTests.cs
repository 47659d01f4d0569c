using ProxySwapper.Configuration;
using ProxySwapper.Kubernetes.InMemory;
using ProxySwapper.Population.Gates;
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

    private void Advance(double seconds)
    {
        _ours.Advance(seconds * Step);
        _servers.Advance(seconds * Step);
    }
}
