using ProxySwapper.Testing.Kubernetes;

namespace ProxySwapper.IntegrationTests;

/// <summary>
/// One API server of Kubernetes 1.36 or later for all tests that need one, from the folder that <c>MODERN_KUBEBUILDER_ASSETS</c> names,
/// else from <c>KUBEBUILDER_ASSETS</c> where that is new enough.
/// </summary>
[SetUpFixture]
internal sealed class ModernControlPlane
{
    private static readonly Lazy<Task<KubeApiServer?>> Server = new(StartAsync);

    /// <summary>The server. Without one the test fails: test/run leaves such tests out, by their category.</summary>
    public static async Task<KubeApiServer> GetAsync() => await FindAsync() ?? throw NotInstalled();

    /// <summary>The server, for a test that an older one can do as well; null if there is none.</summary>
    public static Task<KubeApiServer?> FindAsync() => Server.Value;

    /// <summary>Starts another one. Without one the test fails.</summary>
    public static async Task<KubeApiServer> StartOneAsync() => await StartAsync() ?? throw NotInstalled();

    [OneTimeTearDown]
    public static async Task Stop()
    {
        if (Server.IsValueCreated && await Server.Value is { } server)
            await server.DisposeAsync();
    }

    private static InvalidOperationException NotInstalled() =>
        new(
            "This test needs the API server of Kubernetes 1.36 or later, in the folder that MODERN_KUBEBUILDER_ASSETS or "
                + "KUBEBUILDER_ASSETS names; without it, leave it out by --filter TestCategory!=NeedsModernServer, as test/run does."
        );

    private static async Task<KubeApiServer?> StartAsync()
    {
        var modern = Environment.GetEnvironmentVariable("MODERN_KUBEBUILDER_ASSETS");
        if (KubeApiServer.HasServer(modern))
            return await KubeApiServer.StartAsync(modern!);
        if (!KubeApiServer.HasServer(Environment.GetEnvironmentVariable("KUBEBUILDER_ASSETS")))
            return null;
        var server = await ControlPlane.GetAsync();
        var version = await ProxySwapper.Kubernetes.KubernetesVersion.GetAsync(server.Client, CancellationToken.None);
        return version.IsAtLeast(1, 36) ? await KubeApiServer.StartAsync() : null;
    }
}
