using System.Text.Json.Nodes;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Registries;

namespace ProxySwapper.IntegrationTests.Reporting;

/// <summary>What Docker Hub responds to <c>report --digests</c>, through a proxy that leads to a stand-in for it.</summary>
[TestFixture]
internal sealed class DockerHubLimitTests
{
    [TestCase(
        "--digests",
        "response",
        100,
        76,
        21600,
        "reports that 76 of 100 pulls in 6 hours are left for this machine: 1 is within them."
    )]
    [TestCase(
        "--no-check=false",
        "documentation",
        100,
        null,
        21600,
        "documents 100 pulls in 6 hours without a login, 200 with a free account: 1 is within both."
    )]
    public async Task The_limit_is_what_Docker_Hub_reported_if_it_was_queried(
        string option,
        string source,
        int pulls,
        int? remaining,
        int seconds,
        string sentence
    )
    {
        using var certificates = new TestCertificates();
        using var folder = new TemporaryFolder();
        folder.Write("ca.crt", certificates.AuthorityPem);
        await using var hub = await InMemoryRegistry.StartAsync(
            new InMemoryRegistryOptions
            {
                Certificate = certificates.IssueServer("registry-1.docker.io"),
                Interceptor = (context, next) =>
                {
                    context.Response.Headers["ratelimit-limit"] = "100;w=21600";
                    context.Response.Headers["ratelimit-remaining"] = "76;w=21600";
                    return next(context);
                },
            }
        );
        await using var target = await InMemoryRegistry.StartAsync();
        await using var proxy = new ForwardProxy(hub.Address);
        var image = TestImage.Create(1);
        image.AddTo(hub, "library/nginx", "1");
        image.AddTo(target, "hub/library/nginx", "1");
        folder.Write(
            "config.yaml",
            $"""
            rules:
              - match: docker.io
                target: {target.Address}/hub
            registries:
              - host: docker.io
                caFile: {folder.PathOf("ca.crt")}
            """
        );
        folder.Write("app.yaml", "{kind: Pod, metadata: {name: web}, spec: {containers: [{image: 'nginx:1'}, {image: 'busybox:1'}]}}");
        string[] others = ["HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "all_proxy", "no_proxy"];
        var (exitCode, output, error) = await ProxySwapperProgram.RunAsync(
            ["report", "--config", folder.PathOf("config.yaml"), "-f", folder.PathOf("app.yaml"), "-o", "json", option],
            [.. others.Select(name => (name, (string?)null)), ("HTTPS_PROXY", proxy.Url), ("https_proxy", proxy.Url)]
        );
        Assert.That(exitCode, Is.Zero, output + error);
        var report = JsonNode.Parse(output)!;
        var limit = report["dockerHubLimit"]!;
        Assert.That(
            ((string)limit["source"]!, (int?)limit["pulls"], (int?)limit["remaining"], (int?)limit["seconds"]),
            Is.EqualTo((source, (int?)pulls, remaining, (int?)seconds))
        );
        Assert.That(report["summary"]!.AsArray().Select(line => (string)line!), Has.One.EqualTo($"Docker Hub {sentence}"));
    }
}
