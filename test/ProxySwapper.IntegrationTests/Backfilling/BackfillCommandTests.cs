using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Registries;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.IntegrationTests.Backfilling;

/// <summary>The arguments of <c>proxyswapper backfill</c>, and its waiting, with a manifest instead of a cluster.</summary>
[TestFixture, NeedsServer, FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class BackfillCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Test]
    public async Task Waiting_ends_when_everything_is_copied_after_an_outage()
    {
        await using var target = await DebianRegistry.StartAsync();
        var port = TestProcess.FreePort();
        var (config, pod) = (await ConfigurationAsync(port, target.Address), _folder.PathOf("pod.yaml"));
        await File.WriteAllTextAsync(pod, PodOf(port));
        using var backfill = ProxySwapperProgram.Start(["backfill", "--config", config, "-f", pod, "--wait", "--timeout", "5m"]);
        await TestWait.UntilAsync(() => backfill.Output.Contains("retrying in", StringComparison.Ordinal), "the first try");
        await using var registry = await DebianRegistry.StartAsync(port);
        await TestImage.Create(8).PushAsync(registry.Address, "team/late", "2");
        Assert.That(await backfill.WaitForExitAsync(), Is.Zero, backfill.Output);
        Assert.That(backfill.Output, Does.Contain($"-> {target.Address}/later/team/late:2"));
        Assert.That(backfill.Output, Does.Contain("1 copied"));
    }

    [Test]
    public async Task Waiting_ends_with_one_when_the_time_is_over()
    {
        await using var target = await DebianRegistry.StartAsync();
        var (exitCode, output, _) = await ProxySwapperProgram.RunAsync(
            ["backfill", "--config", await ConfigurationAsync(1, target.Address), "-f", "-", "--wait", "--timeout", "4s"],
            input: PodOf(1)
        );
        Assert.That(exitCode, Is.EqualTo(1), output);
        Assert.That(output, Does.Contain("127.0.0.1:1/team/late:2").And.Contain("1 failed").Or.Contain("1 left"));
    }

    [TestCase("--only", "everything", "docker.io", "--only must be missing-after REGISTRY, not 'everything'")]
    [TestCase(
        "--only",
        "missing-after",
        "no/host",
        "--only missing-after requires the host of a registry, such as docker.io, not 'no/host'"
    )]
    [TestCase("--timeout", "soon", "--wait", "--timeout must be a duration, such as 90s, 30m or 2h, not 'soon'")]
    [TestCase("--timeout", "2000h", "--wait", "--timeout must be at most 1000h, not '2000h'; use 0 for no limit")]
    public async Task Mistakes_are_reported(string first, string second, string third, string message)
    {
        var config = await ConfigurationAsync(1, "registry.example.com");
        var (exitCode, _, error) = await ProxySwapperProgram.RunAsync(["backfill", first, second, third, "--config", config]);
        Assert.That((exitCode, error.Split('\n')[0]), Is.EqualTo((2, message)));
    }

    private async Task<string> ConfigurationAsync(int port, string target)
    {
        var config = _folder.PathOf("config.yaml");
        await File.WriteAllTextAsync(config, $"rules: [{{match: \"127.0.0.1:{port}\", target: \"{target}/later\"}}]\n");
        return config;
    }

    private static string PodOf(int port) => $"{{kind: Pod, spec: {{containers: [{{image: \"127.0.0.1:{port}/team/late:2\"}}]}}}}\n";
}
