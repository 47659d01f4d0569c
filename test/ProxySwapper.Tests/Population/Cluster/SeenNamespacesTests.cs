using ProxySwapper.Configuration;
using ProxySwapper.Population.Cluster;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Population.Cluster;

/// <summary>Which Pods distinguish the namespaces that exist from those that only reviews have named.</summary>
[TestFixture]
internal sealed class SeenNamespacesTests : GateFixture
{
    [Test]
    public async Task A_pod_that_only_waits_at_a_gate_makes_no_other_namespace_count_as_forged()
    {
        await using var scene = await StartAsync(PopulatePolicy.None);
        await PostAsync(GatedPodSamples.Create("team", "app", (SourceOf("app"), TargetOf("app"))));
        await ReleasedAsync("app");
        Assert.That(scene.Get<SeenNamespaces>().Contains("other"), Is.True);
    }

    [Test]
    public async Task A_namespace_with_a_gated_pod_is_known_by_its_other_labels()
    {
        await using var scene = await StartAsync(PopulatePolicy.Gate);
        await PostAsync(GatedPodSamples.Create("team", "app", (SourceOf("app"), TargetOf("app"))));
        var seen = scene.Get<SeenNamespaces>();
        await TestWait.UntilAsync(() => !seen.Contains("other"), "the first list, and the event of the Pod");
        Assert.That(seen.Contains("team"), Is.True);
    }

    [Test]
    public void Beyond_the_limit_the_namespace_shown_first_is_forgotten_and_no_other()
    {
        var seen = new SeenNamespaces();
        for (var i = 0; i < 10_001; i++)
        {
            seen.Add($"team-{i}");
            seen.Add("team-0");
        }
        Assert.That(seen.Contains("team-0"), Is.True, "it was shown again");
        Assert.That(Enumerable.Range(2, 9_999).Where(i => !seen.Contains($"team-{i}")), Is.Empty);
        Assert.That(seen.Contains("team-1"), Is.False);
    }

    private Task<PopulationScene> StartAsync(PopulatePolicy policy) =>
        PopulationScene.StartAsync(
            new ProxySwapperOptions
            {
                Rules = [new() { Match = Upstream.Address, Target = $"{Downstream.Address}/mirror" }],
                ShutdownGracePeriod = TimeSpan.Zero,
                Populate = new() { Policy = policy },
            },
            cluster: Server
        );
}
