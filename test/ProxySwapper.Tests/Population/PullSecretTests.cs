using ProxySwapper.Configuration;
using ProxySwapper.Kubernetes;
using ProxySwapper.Kubernetes.InMemory;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Population;

/// <summary>Pull Secrets that rules add to Pods, with an in-memory API server.</summary>
[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class PullSecretTests : IDisposable
{
    private const string Secret = "registry-example-com";

    private InMemoryApiServer _server = null!;
    private KubernetesClient _client = null!;
    private readonly CapturedLog _log = new();

    [SetUp]
    public async Task Start()
    {
        _server = await InMemoryApiServer.StartAsync();
        _client = ApiServers.Connect(_server);
    }

    [TearDown]
    public async Task Stop()
    {
        _client.Dispose();
        await _server.DisposeAsync();
    }

    public void Dispose() => _log.Dispose();

    [Test]
    public async Task A_missing_secret_is_reported_in_the_log_and_by_an_event_of_the_pod()
    {
        await using var scene = await StartAsync();
        await CreatePodAsync("web");
        await TestWait.UntilAsync(() => _log.Text.Contains("is missing, or not of type", StringComparison.Ordinal));
        await TestWait.UntilAsync(() => Events().Any(text => text.Contains("PullSecretMissing", StringComparison.Ordinal)));
        Assert.That(Events().Single(text => text.Contains("PullSecretMissing", StringComparison.Ordinal)), Does.Contain("\"web\""));
        Assert.That(_log.Text, Does.Contain($"Secret {Secret} of namespace team").And.Contain("it is the pullSecret of rules[0]"));
    }

    [Test]
    public async Task A_missing_secret_is_reported_without_population_too()
    {
        await using var scene = await StartAsync(PopulatePolicy.None);
        await CreatePodAsync("web");
        await TestWait.UntilAsync(() => _log.Text.Contains($"Secret {Secret} of namespace team", StringComparison.Ordinal));
        Assert.That(scene.Queue.WaitingCount, Is.Zero);
    }

    [Test]
    public async Task A_secret_without_a_login_for_the_target_is_reported()
    {
        await CreateSecretAsync("""{"auths":{"other.example.com":{"auth":"dTpw"}}}""");
        await using var scene = await StartAsync();
        await CreatePodAsync("web");
        await TestWait.UntilAsync(() => _log.Text.Contains("has no login for registry.example.com", StringComparison.Ordinal));
        Assert.That(_log.Text, Does.Not.Contain("dTpw"));
    }

    [Test]
    public async Task A_secret_with_a_login_for_the_target_is_not_reported_and_is_read_once()
    {
        await CreateSecretAsync("""{"auths":{"registry.example.com":{"auth":"dTpw"}}}""");
        await using var scene = await StartAsync();
        for (var index = 0; index < 20; index++)
            await CreatePodAsync($"web-{index}");
        await TestWait.UntilAsync(() => Reads() > 0);
        await CreatePodAsync("last", "other-team");
        await TestWait.UntilAsync(() => _log.Text.Contains("of namespace other-team", StringComparison.Ordinal));
        Assert.That(Reads(), Is.EqualTo(2));
        Assert.That(_log.Text, Does.Not.Contain("of namespace team "));
    }

    [Test]
    public async Task Without_permission_to_read_secrets_the_log_says_so_once()
    {
        _server.Denied["get secrets"] = true;
        await using var scene = await StartAsync();
        await CreatePodAsync("web");
        await CreatePodAsync("web", "other-team");
        await TestWait.UntilAsync(() =>
            Reads() == 2 && _log.Text.Contains("Cannot check whether the pullSecret", StringComparison.Ordinal)
        );
        await CreatePodAsync("web", "third-team");
        await TestWait.UntilAsync(() => Reads() == 3);
        Assert.That(_log.Text.Split("Cannot check whether the pullSecret"), Has.Length.EqualTo(2));
        Assert.That(Events(), Has.None.Contains("PullSecretMissing"));
    }

    private Task<PopulationScene> StartAsync(PopulatePolicy policy = PopulatePolicy.Delayed) =>
        PopulationScene.StartAsync(
            new ProxySwapperOptions
            {
                Rules =
                [
                    new()
                    {
                        Match = "docker.io",
                        Target = "registry.example.com/hub",
                        PullSecret = Secret,
                    },
                ],
                Populate = new() { Policy = policy },
                ShutdownGracePeriod = TimeSpan.FromSeconds(1),
            },
            log: _log,
            cluster: _server
        );

    private async Task CreatePodAsync(string name, string @namespace = "team") =>
        await new ResourceClient(_client, ResourceType.Pods).CreateAsync(
            @namespace,
            GatedPodSamples.Create(@namespace, name, ("nginx:1", "registry.example.com/hub/library/nginx:1")),
            default
        );

    private async Task CreateSecretAsync(string config) =>
        await new ResourceClient(_client, ResourceType.Secrets).CreateAsync("team", PullSecretSamples.Create(Secret, config), default);

    private int Reads() => _server.Requests.GetValueOrDefault("get secrets");

    private IEnumerable<string> Events() =>
        _server
            .Store.List(new Selection(new ApiPath("events.k8s.io/v1", "events", null, null, ""), "", ""))
            .Objects.Select(item => item.ToJsonString());
}
