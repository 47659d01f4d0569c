namespace ProxySwapper.Tests.Registry.Copying;

/// <summary>Copies between two registries of its own for each test; what the target has at the end is whole.</summary>
internal abstract class CopyFixture
{
    protected CopyScene Scene { get; private set; } = null!;

    [SetUp]
    public async Task StartAsync() => Scene = await CopyScene.StartAsync();

    [TearDown]
    public async Task StopAsync()
    {
        CopyScene.AssertWhole(Scene.Target.Registry);
        await Scene.DisposeAsync();
    }
}
