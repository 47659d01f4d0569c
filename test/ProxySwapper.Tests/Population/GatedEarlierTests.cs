using System.Text.Json.Nodes;
using ProxySwapper.Configuration;
using ProxySwapper.Population.Gates;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Population;

/// <summary>Pods that were gated before <c>populate.policy</c> changed: the replicas of the new configuration release them.</summary>
[TestFixture]
internal sealed class GatedEarlierTests : GateFixture
{
    [TestCase("delayed")]
    [TestCase("immediate")]
    public async Task With_a_policy_that_copies_it_is_released_when_its_images_are_downstream_or_failed(string policy)
    {
        await CreateAsync("app");
        await CreateAsync("none");
        await using var scene = await StartAsync(policy);
        await ReleasedAsync("app");
        await ReleasedAsync("none");
        Assert.That(ImageOf("app"), Is.EqualTo(TargetOf("app")));
        Assert.That(Downstream.Repository("mirror/team/app").Find("1")?.Digest, Is.EqualTo(Image.Top.Digest));
        Assert.That(ImageOf("none"), Is.EqualTo(SourceOf("none")));
        await TestWait.UntilAsync(() => scene.Get<GatedPods>().Count == 0);
    }

    [Test]
    public async Task Without_population_it_is_released_at_once_with_what_is_downstream_and_nothing_is_copied()
    {
        Image.AddTo(Downstream, "mirror/team/there", "1");
        await CreateAsync("app");
        await CreateAsync("there");
        await using var scene = await StartAsync("none");
        await ReleasedAsync("app");
        await ReleasedAsync("there");
        Assert.That((ImageOf("app"), ImageOf("there")), Is.EqualTo((SourceOf("app"), TargetOf("there"))));
        Assert.That(
            (string?)Pod("app")["metadata"]!["annotations"]![GatedPodSamples.LeftOriginal],
            Does.Contain("populate.policy is none: nothing is copied")
        );
        Assert.That(scene.Queue.RunningCount + scene.Queue.WaitingCount, Is.Zero);
        Assert.That(Downstream.Repository("mirror/team/app").Find("1"), Is.Null);
        Assert.That(Server.Requests.Keys.Where(request => request.EndsWith(" leases", StringComparison.Ordinal)), Is.Empty);
    }

    private Task<PopulationScene> StartAsync(string policy) =>
        PopulationScene.StartAsync(
            new ProxySwapperOptions
            {
                Rules = [new() { Match = Upstream.Address, Target = $"{Downstream.Address}/mirror" }],
                ShutdownGracePeriod = TimeSpan.FromSeconds(1),
                Populate = new() { Policy = Enum.Parse<PopulatePolicy>(policy, ignoreCase: true) },
            },
            cluster: Server
        );

    private Task<JsonObject> CreateAsync(string name) => PostAsync(GatedPodSamples.Create("team", name, (SourceOf(name), TargetOf(name))));
}
