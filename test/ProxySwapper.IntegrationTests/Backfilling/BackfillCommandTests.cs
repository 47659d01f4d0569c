using System.Globalization;
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
        var (exitCode, output, _) = await ProxySwapperProgram.RunWithInputAsync(
            PodOf(1),
            ["backfill", "--config", await ConfigurationAsync(1, target.Address), "-f", "-", "--wait", "--timeout", "4s"]
        );
        Assert.That(exitCode, Is.EqualTo(1), output);
        Assert.That(output, Does.Contain("127.0.0.1:1/team/late:2").And.Contain("1 failed").Or.Contain("1 left"));
    }

    [Test]
    public async Task What_cannot_be_read_is_named_and_the_rest_is_copied()
    {
        await using var registry = await DebianRegistry.StartAsync();
        await using var target = await DebianRegistry.StartAsync();
        await TestImage.Create(9, layers: 1, layerSize: 100).PushAsync(registry.Address, "team/late", "2");
        var port = int.Parse(registry.Address.Split(':')[1], CultureInfo.InvariantCulture);
        var manifests = _folder.Write(
            "manifests.yaml",
            $$$"""
            {{{PodOf(port)}}}---
            {apiVersion: apps/v1, kind: Deployment, metadata: {name: bare}, spec: {}}
            ---
            {apiVersion: example.com/v1, kind: Database, metadata: {name: db}, spec: {image: "127.0.0.1:{{{port}}}/team/db:1"}}
            ---
            {kind: Pod, metadata: {name: odd}, spec: {containers: [{name: x}, {image: "No Reference"}]}}
            """
        );
        var (exitCode, output, error) = await ProxySwapperProgram.RunAsync([
            "backfill",
            "--config",
            await ConfigurationAsync(port, target.Address),
            "-f",
            manifests,
        ]);
        Assert.That(exitCode, Is.EqualTo(1), output + error);
        Assert.That(output, Does.Contain($"-> {target.Address}/later/team/late:2").And.Contain("1 copied"));
        Assert.That(
            error,
            Does.Contain("not read: Deployment/bare (no Pod template)")
                .And.Contain("not read: Database/db (spec.image in line 5: not in a Pod template)")
                .And.Contain("not read: Pod/odd (containers[0] in line 7: no image)")
                .And.Contain("not copied: image 'No Reference' left unchanged: ")
        );
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
