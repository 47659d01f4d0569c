using ProxySwapper.Kubernetes;
using ProxySwapper.Kubernetes.InMemory;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Population;

/// <summary>An upstream registry with images <c>app0:1</c> to <c>app3:1</c>, an empty one downstream, and an API server.</summary>
internal abstract class PopulationFixture
{
    private const int Images = 4;

    protected InMemoryRegistry Upstream { get; private set; } = null!;
    protected InMemoryRegistry Downstream { get; private set; } = null!;
    protected InMemoryApiServer Server { get; private set; } = null!;
    protected KubernetesClient Client { get; private set; } = null!;

    [SetUp]
    public async Task Start()
    {
        Upstream = await InMemoryRegistry.StartAsync();
        Downstream = await InMemoryRegistry.StartAsync();
        Server = await InMemoryApiServer.StartAsync();
        Client = ApiServers.Connect(Server);
        for (var index = 0; index < Images; index++)
            TestImage.Create(95 + index, 1, 100).AddTo(Upstream, $"app{index}", "1");
    }

    [TearDown]
    public async Task Stop()
    {
        Client.Dispose();
        await Server.DisposeAsync();
        await Upstream.DisposeAsync();
        await Downstream.DisposeAsync();
    }

    /// <summary>Whether an image is below <c>mirror</c> downstream.</summary>
    protected bool IsCopied(int index) => Downstream.Repository($"mirror/app{index}").Find("1") is not null;

    protected Task CopiedAsync(int index) => TestWait.UntilAsync(() => IsCopied(index), $"the copy of app{index}");
}
