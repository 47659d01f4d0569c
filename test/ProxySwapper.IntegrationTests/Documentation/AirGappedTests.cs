using ProxySwapper.IntegrationTests.Chart;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Testing.Documentation;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Registries;

namespace ProxySwapper.IntegrationTests.Documentation;

/// <summary>
/// <c>docs/scenarios/air-gapped.md</c>: its commands with real skopeo and jq, each side with a proxy that leads only to its own registry.
/// </summary>
[TestFixture, NeedsServer]
internal sealed class AirGappedTests : IDisposable
{
    private static readonly ManualPage Page = ManualPage.All.Single(page =>
        page.Path == Path.Combine("docs", "scenarios", "air-gapped.md")
    );

    private readonly TemporaryFolder _folder = new();
    private readonly TestCertificates _certificates = new();

    public void Dispose()
    {
        _certificates.Dispose();
        _folder.Dispose();
    }

    [Test]
    public async Task Images_are_carried_in_an_archive_with_their_digests()
    {
        var (index, platform) = (TestImage.Create(501, 2, 1000, "linux/amd64", "linux/arm64"), TestImage.Create(502, 1, 1000));
        await using var hub = await StartAsync("registry-1.docker.io");
        await using var corporate = await StartAsync("registry.corp.example");
        index.AddTo(hub, "library/nginx", "1.27", "1.26");
        platform.AddTo(hub, "library/busybox", "1");
        await WriteFilesAsync(index, platform);
        var steps = Page.Blocks.Where(block => block.Language == "sh").Select(block => block.Text).ToList();

        await RunAsync(steps[0].Split('\n')[1], hub);
        await RunAsync(steps[2], hub);
        Assert.That(corporate.Repositories, Is.Empty);
        await RunAsync(steps[3], corporate);
        Assert.That(File.Exists(_folder.PathOf("failed.txt")), Is.False);
        var nginx = corporate.Repository("hub/library/nginx");
        Assert.That(nginx.Tags["1.27"], Is.EqualTo(index.Top.Digest));
        Assert.That(nginx.Tags["1.26"], Is.EqualTo(index.Top.Digest));
        Assert.That(nginx.Manifests, Has.Count.EqualTo(3), "all platforms");
        Assert.That(corporate.Repository("hub/library/busybox").Manifests.Keys, Has.Member(platform.Top.Digest));
        await RunAsync("proxyswapper report --config config.yaml -f app.yaml --fail-on missing", corporate);
    }

    private Task<InMemoryRegistry> StartAsync(string host) =>
        InMemoryRegistry.StartAsync(new InMemoryRegistryOptions { Certificate = _certificates.IssueServer(host) });

    private async Task WriteFilesAsync(TestImage index, TestImage platform)
    {
        await File.WriteAllTextAsync(
            Path.Combine(Directory.CreateDirectory(_folder.PathOf("ca")).FullName, "ca.crt"),
            _certificates.AuthorityPem
        );
        _folder.Write("values.yaml", Page.Files("values.yaml").Single());
        var objects = await HelmChart.ObjectsAsync(_folder.PathOf("values.yaml"));
        var config = objects.Single(item => (string?)item["kind"] == "ConfigMap" && item["data"]!["config.yaml"] is not null);
        _folder.Write("config.yaml", (string)config["data"]!["config.yaml"]!);
        _folder.Write(
            "app.yaml",
            $$"""
            apiVersion: v1
            kind: Pod
            metadata: {name: app}
            spec:
              containers:
                - {name: a, image: "nginx:1.27"}
                - {name: b, image: "nginx:1.26@{{index.Top.Digest}}"}
                - {name: c, image: "busybox@{{platform.Top.Digest}}"}
                - {name: d, image: "quay.io/team/not-ours:1"}
            """
        );
    }

    /// <summary>Runs commands of the page in the folder, where only one registry can be reached.</summary>
    private async Task RunAsync(string commands, InMemoryRegistry registry)
    {
        await using var proxy = new ForwardProxy(registry.Address);
        var (program, arguments) = ProxySwapperProgram.CommandOf([]);
        var functions =
            $"proxyswapper() {{ {program} {string.Join(' ', arguments)} \"$@\"; }}\nhelm() {{ cat app.yaml; }}\nset -eu\n"
            + $"cd {_folder.PathOf(".")}\n";
        var (exitCode, output, error) = await TestProcess.RunAsync(
            "bash",
            ["-c", functions + commands],
            new Dictionary<string, string>
            {
                ["HTTPS_PROXY"] = proxy.Url,
                ["https_proxy"] = proxy.Url,
                ["NO_PROXY"] = "",
                ["no_proxy"] = "",
                ["SSL_CERT_DIR"] = $"/etc/ssl/certs:{_folder.PathOf("ca")}",
                ["HOME"] = _folder.PathOf("."),
            }
        );
        Assert.That(exitCode, Is.Zero, $"{commands}\n{output}{error}");
    }
}
