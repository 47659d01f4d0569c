using ProxySwapper.Testing.Kubernetes;

namespace ProxySwapper.IntegrationTests.Population;

/// <summary>The API server that tests of gated Pods use.</summary>
internal enum ApiServerKind
{
    /// <summary>The in-memory one.</summary>
    InMemory,

    /// <summary>A real one of Kubernetes 1.36 or later.</summary>
    Modern,
}

/// <summary>Tests of the built program with an API server: in memory, and a real one.</summary>
[TestFixture(ApiServerKind.InMemory)]
[TestFixture(ApiServerKind.Modern, Category = "NeedsServer,NeedsModernServer")]
internal abstract class GateFixture(object kind)
{
    protected GateScene Scene => _scene!;

    protected ApiServerKind Kind { get; } = (ApiServerKind)kind;

    private GateScene? _scene;

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
    public async Task StartSceneAsync() => _scene = await GateScene.CreateAsync(_server);

    [TearDown]
    public async Task StopSceneAsync()
    {
        if (_scene is not null)
            await _scene.DisposeAsync();
        _scene = null;
    }

    /// <summary>A page of the first replica's management port. Its text explains the state even if it is not ready.</summary>
    protected async Task<string> GetAsync(string path)
    {
        using var response = await Scene.Replicas[0].Management.GetAsync(new Uri(path, UriKind.Relative));
        return await response.Content.ReadAsStringAsync();
    }
}
