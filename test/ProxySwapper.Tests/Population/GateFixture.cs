using System.Text.Json.Nodes;
using ProxySwapper.Kubernetes;
using ProxySwapper.Kubernetes.InMemory;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Registries;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Population;

/// <summary>Registries and an API server for tests of gated Pods, new for each test. Requests to the upstream can be held.</summary>
internal abstract class GateFixture
{
    protected TestImage Image { get; } = TestImage.Create(71, 2, 1000);
    protected RequestHold Hold { get; } = new();
    protected InMemoryRegistry Upstream { get; private set; } = null!;
    protected InMemoryRegistry Downstream { get; private set; } = null!;
    protected InMemoryApiServer Server { get; private set; } = null!;
    protected KubernetesClient Client { get; private set; } = null!;

    /// <summary>What the API server is started with.</summary>
    protected virtual InMemoryApiServerOptions ServerOptions => new();

    [SetUp]
    public async Task StartServersAsync()
    {
        Upstream = await Hold.StartRegistryAsync();
        Downstream = await InMemoryRegistry.StartAsync();
        Image.AddTo(Upstream, "team/app", "1");
        Server = await InMemoryApiServer.StartAsync(ServerOptions);
        Client = ApiServers.Connect(Server, @namespace: "proxyswapper");
    }

    [TearDown]
    public async Task StopServersAsync()
    {
        Hold.End();
        Client.Dispose();
        await Server.DisposeAsync();
        await Upstream.DisposeAsync();
        await Downstream.DisposeAsync();
    }

    protected string SourceOf(string name) => $"{Upstream.Address}/team/{name}:1";

    protected string TargetOf(string name) => $"{Downstream.Address}/mirror/team/{name}:1";

    protected Task<JsonObject> PostAsync(JsonObject pod) => new ResourceClient(Client, ResourceType.Pods).CreateAsync("team", pod, default);

    protected JsonObject Pod(string name) => Server.FindPod("team", name)!;

    protected string ImageOf(string name) => GatedPodSamples.ImagesOf(Pod(name)).Single();

    protected Task ReleasedAsync(string name) =>
        TestWait.UntilAsync(() => GatedPodSamples.GatesOf(Pod(name)).Count == 0, $"the release of {name}");
}
