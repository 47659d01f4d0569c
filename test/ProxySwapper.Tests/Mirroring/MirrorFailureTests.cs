using System.Text.Json.Nodes;
using ProxySwapper.Commands;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Registries;
using Kind = ProxySwapper.Registry.InMemory.InMemoryRegistryRequestKind;

namespace ProxySwapper.Tests.Mirroring;

/// <summary>More images that cannot be copied than there are workers: the others are copied, and each is in the report.</summary>
[TestFixture, NonParallelizable]
internal sealed class MirrorFailureTests
{
    private const int Parallel = 2;
    private static readonly string[] Good = ["2.0.0", "2.1.0", "2.2.0"];
    private static readonly string[] Bad = ["1.0.0", "1.1.0", "1.2.0", "1.3.0"];

    private FaultyRegistry _source = null!;
    private FaultyRegistry _target = null!;
    private TemporaryFolder _folder = null!;

    [SetUp]
    public async Task StartAsync()
    {
        (_source, _target, _folder) = (await FaultyRegistry.StartAsync(), await FaultyRegistry.StartAsync(), new TemporaryFolder());
        TestImage.Create(1, 1, 100, "amd64", "arm64").AddTo(_source.Registry, "team/app", Good);
    }

    [TearDown]
    public async Task StopAsync()
    {
        await _source.DisposeAsync();
        await _target.DisposeAsync();
        _folder.Dispose();
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task Images_without_the_platform(bool isDryRun)
    {
        TestImage.Create(2, 1, 100, "amd64", "s390x").AddTo(_source.Registry, "team/app", Bad);
        if (isDryRun)
            // A dry run only reads the images that both have.
            TestImage.Create(3, 1, 100, "amd64", "arm64").AddTo(_target.Registry, "team/app", [.. Good, .. Bad]);
        await AssertOnlyTheBadFailAsync("has no linux/arm64; it has linux/amd64, linux/s390x", isDryRun ? "replaced" : "copied", isDryRun);
    }

    [TestCase("""{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"size":-1}]}""", "descriptor")]
    [TestCase("<html>", "it is not a manifest")]
    [TestCase("[]", "it is not a manifest")]
    public async Task Manifests_that_are_damaged(string manifest, string message)
    {
        _source.Registry.AddManifest("team/app", "application/vnd.oci.image.index.v1+json", Bytes(manifest), Bad);
        await AssertOnlyTheBadFailAsync(message, "copied");
    }

    [Test]
    public async Task Repositories_without_a_list_of_tags()
    {
        _source.Always(
            (request, kind) => kind == Kind.Tags && request.Path.Value!.Contains("bad", StringComparison.Ordinal),
            (context, _) => context.Response.Body.WriteAsync("[]"u8.ToArray()).AsTask()
        );
        var images = Enumerable.Range(0, 4).Select(index => Image($"bad{index}", $"bad/app{index}", "all"));
        var (exitCode, output, report) = await RunAsync([.. images, Image("good", "team/app", "all")]);
        Assert.That((exitCode, (int)report["copied"]!, (int)report["failed"]!), Is.EqualTo((1, Good.Length, 4)), output);
    }

    [TestCase("null", "all", "the source has no tags")]
    [TestCase("[]", "all", "the source has no tags")]
    [TestCase("""["2.0.0"]""", "all, tags: {allow: [latest]}", "no tag of the source matches the settings")]
    [TestCase("""["bad tag!\u001b","-x"]""", "all", "not valid tags: 'bad tag! ', '-x'")]
    public async Task Nothing_found_to_copy_is_named_and_incomplete(string tags, string mode, string reason)
    {
        _source.Always(
            HttpMethod.Get,
            Kind.Tags,
            (context, _) => context.Response.Body.WriteAsync(Bytes($$"""{"name":"team/app","tags":{{tags}}}""")).AsTask()
        );
        var (exitCode, output, report) = await RunAsync([Image("app", "team/app", mode)]);
        Assert.That((exitCode, (bool)report["complete"]!), Is.EqualTo((1, false)), output);
        Assert.That(output, Does.Contain($"skipped        {_source.Address}/team/app -> ").And.Contain(reason));
        Assert.That((int)report["skipped"]!, Is.AtLeast(1));
        Assert.That(report["tags"]!.AsArray().Select(tag => (bool)tag!["complete"]!), Is.All.False);
    }

    [TestCase(Kind.Tags, "selecting its tags timed out after 1 s")]
    [TestCase(Kind.Blob, "timed out after 1 s")]
    public async Task An_image_has_a_time(Kind hanging, string message)
    {
        _source.Always(HttpMethod.Get, hanging, RegistryFaults.NoResponse());
        var (exitCode, output, report) = await RunAsync([Image("app", "team/app", "highest")], "--copy-timeout", "1s");
        Assert.That((exitCode, (int)report["failed"]!), Is.EqualTo((1, 1)), output);
        Assert.That(output, Does.Contain(message));
    }

    private async Task AssertOnlyTheBadFailAsync(string message, string good, bool isDryRun = false)
    {
        var (exitCode, output, report) = await RunAsync(
            [Image("app", "team/app", "all, replace-tag: true, platforms: [linux/arm64]")],
            isDryRun ? ["--dry-run"] : []
        );
        Assert.Multiple(() =>
        {
            Assert.That((exitCode, (int)report["failed"]!, (int)report[good]!), Is.EqualTo((1, Bad.Length, Good.Length)), output);
            Assert.That(output, Does.Contain($"{Bad.Length} failed").And.Contain(message).And.Not.Contain("internal error"));
            var failed = report["tags"]!.AsArray().Where(tag => (string)tag!["outcome"]! == "failed").ToList();
            Assert.That(failed.Select(tag => (string)tag!["tag"]!), Is.EquivalentTo(Bad));
            Assert.That(failed.Select(tag => (string)tag!["detail"]!), Has.All.Contain(message));
        });
    }

    private string Image(string name, string repository, string mode) =>
        $"  {name}: {{source: '{_source.Address}/{repository}', destination: '{_target.Address}/{repository}', mode: {mode}}}";

    private async Task<(int ExitCode, string Output, JsonNode Report)> RunAsync(IEnumerable<string> images, params string[] options)
    {
        _folder.Write("mirror.yaml", "images:\n" + string.Join('\n', images));
        var (output, error) = (Console.Out, Console.Error);
        using var console = new StringWriter();
        Console.SetOut(console);
        Console.SetError(console);
        try
        {
            var exitCode = await CommandTree.RunAsync([
                "mirror",
                "--config-file",
                _folder.PathOf("mirror.yaml"),
                "--parallel",
                $"{Parallel}",
                "--report",
                _folder.PathOf("report.json"),
                .. options,
            ]);
            var report = await File.ReadAllTextAsync(_folder.PathOf("report.json"));
            Assert.That(report, Is.Not.Empty, console.ToString());
            return (exitCode, console.ToString(), JsonNode.Parse(report)!);
        }
        finally
        {
            Console.SetOut(output);
            Console.SetError(error);
        }
    }

    private static byte[] Bytes(string text) => System.Text.Encoding.UTF8.GetBytes(text);
}
