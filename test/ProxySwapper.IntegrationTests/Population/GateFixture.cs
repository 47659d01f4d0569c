namespace ProxySwapper.IntegrationTests.Population;

/// <summary>Tests of the built program with an API server: in memory, and a real one if available.</summary>
[TestFixture(ApiServerKind.InMemory)]
[TestFixture(ApiServerKind.Modern, Category = "NeedsServer,NeedsModernServer")]
internal abstract class GateFixture(object kind)
{
    /// <summary>The scene of the test; null if there is no such server, which makes the test inconclusive.</summary>
    protected GateScene? Scene { get; private set; }

    protected ApiServerKind Kind { get; } = (ApiServerKind)kind;

    [SetUp]
    public async Task StartSceneAsync() => Scene = await GateScene.CreateAsync(Kind);

    [TearDown]
    public async Task StopSceneAsync()
    {
        if (Scene is not null)
            await Scene.DisposeAsync();
    }
}
