using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests;

/// <summary>One kube-apiserver for all tests, started on first use. Each test uses its own namespaces and names.</summary>
[SetUpFixture]
internal sealed class ControlPlane
{
    private static readonly Lazy<Task<KubeApiServer>> Server = new(KubeApiServer.StartAsync);

    public static Task<KubeApiServer> GetAsync()
    {
        NeedsServerAttribute.Require("kube-apiserver");
        return Server.Value;
    }

    [OneTimeSetUp]
    public static void WatchServers() => ForeignServer.Starting = NeedsServerAttribute.Require;

    [OneTimeTearDown]
    public static async Task Stop()
    {
        if (Server.IsValueCreated && Server.Value.IsCompletedSuccessfully)
            await (await Server.Value).DisposeAsync();
    }
}
