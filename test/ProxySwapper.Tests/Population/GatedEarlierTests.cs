using System.Text.Json.Nodes;
using ProxySwapper.Configuration;
using ProxySwapper.Kubernetes;
using ProxySwapper.Kubernetes.InMemory;
using ProxySwapper.Population.Gates;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Population;

/// <summary>Pods that were gated before <c>populate.policy</c> changed: the replicas of the new configuration release them.</summary>
[TestFixture]
internal sealed class GatedEarlierTests
{
    private readonly TestImage _image = TestImage.Create(73, 2, 1000);
    private InMemoryRegistry _upstream = null!;
    private InMemoryRegistry _downstream = null!;
    private InMemoryApiServer _server = null!;
    private KubernetesClient _client = null!;

    [SetUp]
    public async Task Start()
    {
        _upstream = await InMemoryRegistry.StartAsync();
        _downstream = await InMemoryRegistry.StartAsync();
        _image.AddTo(_upstream, "team/app", "1");
        _server = await InMemoryApiServer.StartAsync();
        _client = ApiServers.Connect(_server);
    }

    [TearDown]
    public async Task Stop()
    {
        _client.Dispose();
        await _server.DisposeAsync();
        await _upstream.DisposeAsync();
        await _downstream.DisposeAsync();
    }

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
        Assert.That(_downstream.Repository("mirror/team/app").Find("1")?.Digest, Is.EqualTo(_image.Top.Digest));
        Assert.That(ImageOf("none"), Is.EqualTo(SourceOf("none")));
        await TestWait.UntilAsync(() => scene.Get<GatedPods>().Count == 0);
    }

    [Test]
    public async Task Without_population_it_is_released_at_once_with_what_is_downstream_and_nothing_is_copied()
    {
        _image.AddTo(_downstream, "mirror/team/there", "1");
        await CreateAsync("app");
        await CreateAsync("there");
        await using var scene = await StartAsync("none");
        await ReleasedAsync("app");
        await ReleasedAsync("there");
        Assert.That((ImageOf("app"), ImageOf("there")), Is.EqualTo((SourceOf("app"), TargetOf("there"))));
        Assert.That(
            (string?)_server.FindPod("team", "app")!["metadata"]!["annotations"]![GatedPodSamples.LeftOriginal],
            Does.Contain("populate.policy is none: nothing is copied")
        );
        Assert.That(scene.Queue.RunningCount + scene.Queue.WaitingCount, Is.Zero);
        Assert.That(_downstream.Repository("mirror/team/app").Find("1"), Is.Null);
        Assert.That(_server.Requests.Keys.Where(request => request.EndsWith(" leases", StringComparison.Ordinal)), Is.Empty);
    }

    private Task<PopulationScene> StartAsync(string policy) =>
        PopulationScene.StartAsync(
            new ProxySwapperOptions
            {
                Rules = [new() { Match = _upstream.Address, Target = $"{_downstream.Address}/mirror" }],
                ShutdownGracePeriod = TimeSpan.FromSeconds(1),
                Populate = new() { Policy = Enum.Parse<PopulatePolicy>(policy, ignoreCase: true) },
            },
            cluster: _server
        );

    private string SourceOf(string name) => $"{_upstream.Address}/team/{name}:1";

    private string TargetOf(string name) => $"{_downstream.Address}/mirror/team/{name}:1";

    private Task<JsonObject> CreateAsync(string name) =>
        new ResourceClient(_client, ResourceType.Pods).CreateAsync(
            "team",
            GatedPodSamples.Create("team", name, (SourceOf(name), TargetOf(name))),
            default
        );

    private string ImageOf(string name) => GatedPodSamples.ImagesOf(_server.FindPod("team", name)!).Single();

    private Task ReleasedAsync(string name) =>
        TestWait.UntilAsync(() => GatedPodSamples.GatesOf(_server.FindPod("team", name)!).Count == 0, $"the release of {name}");
}
