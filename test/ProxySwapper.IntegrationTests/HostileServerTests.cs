using ProxySwapper.Testing.Inputs;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests;

/// <summary>
/// The commands against registries and API servers that respond with nonsense: each ends in time and within bounded memory, with exit code
/// 0, 1 or 2 and sentences. The unit tests try thousands of responses on each call; these are whole commands. A failure names its seed.
/// </summary>
[TestFixture, Parallelizable]
internal sealed class HostileServerTests
{
    private const int Seeds = 3;
    private const int FirstSeed = 20_261_128;

    /// <summary>Ten retries of a command take about a minute.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    /// <summary>
    /// The heap's hard limit in bytes, hexadecimal: 128 MiB, half of what the chart allows. Responses without end have 80 MiB, which do not
    /// fit into it beside their copy; exhausting it is an internal error.
    /// </summary>
    private static readonly (string Name, string? Value) LimitedMemory = ("DOTNET_GCHeapHardLimit", "8000000");

    private static readonly string[] Bodies =
    [
        """
            {"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json",
            "manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json",
            "digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":2}]}
            """,
        """{"name":"team/app","tags":["1","2","v1.2.3"]}""",
        """{"token":"t0k3n","expires_in":300}""",
        """{"major":"1","minor":"36","gitVersion":"v1.36.0","status":{"allowed":true}}""",
        """
            {"kind":"List","metadata":{"resourceVersion":"5"},"items":[{"metadata":{"name":"p","namespace":"n","uid":"u"},
            "spec":{"containers":[{"name":"c","image":"nginx"}]},"status":{"phase":"Running"},"webhooks":[{"name":"w"}]}]}
            """,
    ];

    [TestCase("copy", "SERVER/team/app:1", "SERVER/mirror/app:1")]
    [TestCase("copy", "--dry-run", "--referrers", "SERVER/team/app:1", "SERVER/mirror/app:1")]
    [TestCase("mirror", "--config-file", "FOLDER/mirror.yaml")]
    [TestCase("report", "-o", "json", "--config", "FOLDER/config.yaml", "--kubeconfig", "FOLDER/kubeconfig")]
    [TestCase("report", "--digests", "-f", "FOLDER/pod.yaml", "--config", "FOLDER/config.yaml")]
    [TestCase("backfill", "--config", "FOLDER/config.yaml", "--kubeconfig", "FOLDER/kubeconfig")]
    [TestCase("status", "http://SERVER")]
    [TestCase("status", "--kubeconfig", "FOLDER/kubeconfig")]
    [TestCase("check", "--timeout", "2", "--config", "FOLDER/config.yaml", "--kubeconfig", "FOLDER/kubeconfig")]
    [TestCase("disable", "--kubeconfig", "FOLDER/kubeconfig")]
    [TestCase("enable", "--kubeconfig", "FOLDER/kubeconfig")]
    [TestCase("release", "--kubeconfig", "FOLDER/kubeconfig")]
    public Task A_command_ends_with_a_message(params string[] command) =>
        Task.WhenAll(Enumerable.Range(FirstSeed, Seeds).Select(seed => RunAsync(seed, command)));

    private static async Task RunAsync(int seed, string[] command)
    {
        await using var server = new HostileServer(Bodies);
        server.Reset(seed);
        using var folder = new TemporaryFolder();
        folder.Write("config.yaml", $"rules: [{{match: '**', target: {server.Address}/any/{{registry}}}}]");
        folder.Write("pod.yaml", $"{{kind: Pod, spec: {{containers: [{{name: c, image: '{server.Address}/team/app:1'}}]}}}}");
        folder.Write(
            "mirror.yaml",
            $"images: {{app: {{source: {server.Address}/team/app, destination: {server.Address}/mirror/app, mode: all}}}}"
        );
        folder.Write("kubeconfig", TestKubeconfig.Of($"http://{server.Address}"));
        var arguments = command.Select(word =>
            word.Replace("SERVER", server.Address, StringComparison.Ordinal).Replace("FOLDER", folder.PathOf("."), StringComparison.Ordinal)
        );
        var (exitCode, output, error) = await ProxySwapperProgram.RunAsync(arguments, LimitedMemory).WaitAsync(Limit, TimeProvider.System);
        var what = $"seed {seed}: exit code {exitCode}\n{output}\n{error}";
        Assert.That(exitCode, Is.InRange(0, 2), what);
        Assert.That(
            output + error,
            Does.Not.Contain("\n   at ")
                .And.Not.Contain("Unhandled exception")
                .And.Not.Contain("nsufficient memory")
                .And.Not.Contain("internal error"),
            what
        );
        Assert.That(exitCode == 0 || (output + error).Trim().Length > 0, what);
    }
}
