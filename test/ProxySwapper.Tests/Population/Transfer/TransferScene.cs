using Microsoft.Extensions.Logging.Abstractions;
using ProxySwapper.Kubernetes;
using ProxySwapper.Population.Queue;
using ProxySwapper.Population.Transfer;
using ProxySwapper.Population.Work;
using ProxySwapper.Registries;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Copying;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Testing.Images;
using ProxySwapper.Tests.Kubernetes;

namespace ProxySwapper.Tests.Population.Transfer;

/// <summary>A registry with one image, one to copy it to, and an API server whose responses are scripted.</summary>
internal sealed class TransferScene : IAsyncDisposable
{
    private TransferScene(InMemoryRegistry upstream, InMemoryRegistry downstream, ScriptedApiServer server)
    {
        (Upstream, Downstream, Server) = (upstream, downstream, server);
        Client = server.Client();
        Registries = RegistryServices.Create([], EnvironmentVariables.None, TimeProvider.System, NullLoggerFactory.Instance);
        TestImage.Create(1, 1, 1000, "amd64").AddTo(upstream, "app", "1");
    }

    public InMemoryRegistry Upstream { get; }

    public InMemoryRegistry Downstream { get; }

    public ScriptedApiServer Server { get; }

    public KubernetesClient Client { get; }

    public RegistryServices Registries { get; }

    public static async Task<TransferScene> StartAsync(InMemoryRegistryOptions upstream) =>
        new(await InMemoryRegistry.StartAsync(upstream), await InMemoryRegistry.StartAsync(), await ScriptedApiServer.StartAsync());

    /// <summary>Copies the image with the pull secrets of Pods.</summary>
    public Task<TransferResult> RunAsync(ImageTransfer transfer, params PodOrigin[] origins)
    {
        var work = new CopyWork(
            ImageReference.Parse($"{Upstream.Address}/app:1"),
            ImageReference.Parse($"{Downstream.Address}/up/app:1"),
            []
        );
        return transfer.RunAsync(work, origins, new Progress<CopyProgress>(), default);
    }

    public async ValueTask DisposeAsync()
    {
        Registries.Dispose();
        Client.Dispose();
        await Server.DisposeAsync();
        await Upstream.DisposeAsync();
        await Downstream.DisposeAsync();
    }
}
