using ProxySwapper.Testing.Kubernetes;

namespace ProxySwapper.IntegrationTests.Population;

/// <summary>The API server that tests of gated Pods use.</summary>
internal enum ApiServerKind
{
    /// <summary>The in-memory one.</summary>
    InMemory,

    /// <summary>A real one of Kubernetes 1.27 or later.</summary>
    Modern,
}

/// <summary>Tests of the built program with an API server: in memory, and a real one if available.</summary>
[TestFixture(ApiServerKind.InMemory)]
[TestFixture(ApiServerKind.Modern, Category = "NeedsServer,NeedsModernServer")]
internal abstract class GateFixture(object kind)
{
    /// <summary>The scene of the test; null if there is no such server, which makes the test inconclusive.</summary>
    protected GateScene? Scene { get; private set; }

    protected ApiServerKind Kind { get; } = (ApiServerKind)kind;

    /// <summary>Of this fixture alone, since replicas act on the gated Pods of the whole cluster.</summary>
    private KubeApiServer? _server;

    [OneTimeSetUp]
    public async Task StartServerAsync() => _server = Kind == ApiServerKind.Modern ? await ModernControlPlane.StartOneAsync() : null;

    [OneTimeTearDown]
    public async Task StopServerAsync()
    {
        if (_server is not null)
            await _server.DisposeAsync();
    }

    [SetUp]
    public async Task StartSceneAsync() =>
        Scene = Kind == ApiServerKind.InMemory || _server is not null ? await GateScene.CreateAsync(_server) : null;

    [TearDown]
    public async Task StopSceneAsync()
    {
        if (Scene is not null)
            await Scene.DisposeAsync();
    }
}
