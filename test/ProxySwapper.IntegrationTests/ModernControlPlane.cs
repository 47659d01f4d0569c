using ProxySwapper.Testing.Kubernetes;

namespace ProxySwapper.IntegrationTests;

/// <summary>
/// One API server of Kubernetes 1.27 or later for all tests that need one, from the folder that <c>MODERN_KUBEBUILDER_ASSETS</c> names,
/// else from <c>KUBEBUILDER_ASSETS</c> where that is new enough.
/// </summary>
[SetUpFixture]
internal sealed class ModernControlPlane
{
    private static readonly Lazy<Task<KubeApiServer?>> Server = new(StartAsync);

    /// <summary>The server; null if there is none, which makes the test inconclusive.</summary>
    public static async Task<KubeApiServer?> FindAsync() => WarnIfNone(await Server.Value);

    /// <summary>Starts another one; null if there is none, which makes the test inconclusive.</summary>
    public static async Task<KubeApiServer?> StartOneAsync() => WarnIfNone(await StartAsync());

    [OneTimeTearDown]
    public static async Task Stop()
    {
        if (Server.IsValueCreated && await Server.Value is { } server)
            await server.DisposeAsync();
    }

    private static KubeApiServer? WarnIfNone(KubeApiServer? server)
    {
        if (server is null)
            Assert.Warn(
                "Not tested: this needs the API server of Kubernetes 1.27 or later, in the folder that MODERN_KUBEBUILDER_ASSETS or "
                    + "KUBEBUILDER_ASSETS names. The flow of gated Pods is tested with an API server in memory as well."
            );
        return server;
    }

    private static async Task<KubeApiServer?> StartAsync()
    {
        var modern = Environment.GetEnvironmentVariable("MODERN_KUBEBUILDER_ASSETS");
        if (KubeApiServer.HasServer(modern))
            return await KubeApiServer.StartAsync(modern!);
        if (!KubeApiServer.HasServer(Environment.GetEnvironmentVariable("KUBEBUILDER_ASSETS")))
            return null;
        var server = await ControlPlane.GetAsync();
        var version = await ProxySwapper.Kubernetes.KubernetesVersion.GetAsync(server.Client, CancellationToken.None);
        return version.IsAtLeast(1, 27) ? await KubeApiServer.StartAsync() : null;
    }
}
