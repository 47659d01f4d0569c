namespace ProxySwapper.IntegrationTests.Population;

/// <summary>Tests of the built program beside an API server: a real one where there is one, and one in memory.</summary>
[TestFixture(ApiServerKind.InMemory)]
[TestFixture(ApiServerKind.Modern, Category = "NeedsServer,NeedsModernServer")]
internal abstract class GateFixture(object kind)
{
    /// <summary>The scene of the test; null where there is no such server, which the test's result then says.</summary>
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
