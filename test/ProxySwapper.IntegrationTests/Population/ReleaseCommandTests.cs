using ProxySwapper.Kubernetes;
using ProxySwapper.Kubernetes.InMemory;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests.Population;

/// <summary>What <c>proxyswapper release</c> prints.</summary>
[TestFixture]
internal sealed class ReleaseCommandTests
{
    [TestCase(0, "No gated Pods.\n")]
    [TestCase(1, "team/app0: released with its original images\nReleased 1 gated Pod.\n")]
    public async Task The_result_is_a_sentence(int pods, string expected)
    {
        await using var server = await InMemoryApiServer.StartAsync();
        using var client = ApiServers.Connect(server);
        for (var pod = 0; pod < pods; pod++)
            await new ResourceClient(client, ResourceType.Pods).CreateAsync(
                "team",
                GatedPodSamples.Create("team", $"app{pod}", ("nginx:1", "down.example.com/nginx:1")),
                default
            );
        using var folder = new TemporaryFolder();
        var kubeconfig = folder.Write("kubeconfig", server.Kubeconfig("administrator", "default"));
        Assert.That(await ProxySwapperProgram.RunAsync(["release", "--kubeconfig", kubeconfig]), Is.EqualTo((0, expected, "")));
    }
}
