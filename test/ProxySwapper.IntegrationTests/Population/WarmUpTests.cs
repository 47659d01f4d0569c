using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Registries;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.IntegrationTests.Population;

/// <summary>A pull-through cache, Debian's docker-registry in proxy mode, that the program warms up.</summary>
[TestFixture, NeedsServer]
internal sealed class WarmUpTests
{
    [Test]
    public async Task After_the_warm_up_the_cache_serves_the_image_without_its_upstream()
    {
        var image = TestImage.Create(21, 2, 50_000, "amd64", "arm64");
        var upstream = await DebianRegistry.StartAsync();
        await image.PushAsync(upstream.Address, "team/app", "1");
        await using var cache = await DebianRegistry.StartPullThroughAsync($"http://{upstream.Address}");
        await using var scene = await PopulationScene.StartAsync(
            $$"""
            rules: [{match: "{{upstream.Address}}", target: "{{cache.Address}}"}]
            populate:
              proxyCaches:
                - regexURL: '^{{cache.Address.Replace(".", "\\.", StringComparison.Ordinal)}}/([^:]+):(.+)$'
                  replacementOCI: 'http://{{cache.Address}}/v2/$1/manifests/$2'
                  replacementArch: 'http://{{cache.Address}}/v2/$1/manifests/ARCHDIGEST'
                  targetArch: arm64
                  targetOS: linux
            """
        );
        var pod = await scene.CreatePodAsync("app", $"{upstream.Address}/team/app:1");
        Assert.That(PopulationScene.ImageOf(pod), Is.EqualTo($"{cache.Address}/team/app:1"));
        await TestWait.UntilAsync(async () => (int)(await scene.PopulateAsync())["known"]! == 1, "the end of the warm-up");
        // The cache stores in the background.
        var blobs = BlobsOf(image.Platforms["arm64"]);
        await TestWait.UntilAsync(() => blobs.All(digest => IsStored(cache, digest)), "the blobs in the cache");
        await upstream.DisposeAsync();
        await Skopeo.PullAsync($"{cache.Address}/team/app@{image.Platforms["arm64"].Digest}");
        Assert.That(
            BlobsOf(image.Platforms["amd64"]).Except(blobs).Any(digest => IsStored(cache, digest)),
            Is.False,
            "no other platform was pulled"
        );
    }

    [Test]
    public async Task Backfill_warms_a_cache_whose_response_alone_says_nothing()
    {
        var image = TestImage.Create(22, 2, 50_000, "amd64");
        var upstream = await DebianRegistry.StartAsync();
        await image.PushAsync(upstream.Address, "team/app", "1");
        await using var cache = await DebianRegistry.StartPullThroughAsync($"http://{upstream.Address}");
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(
            folder.PathOf("config.yaml"),
            $$"""
            rules: [{match: "{{upstream.Address}}", target: "{{cache.Address}}", populate: false}]
            populate:
              proxyCaches:
                - regexURL: '^{{cache.Address.Replace(".", "\\.", StringComparison.Ordinal)}}/([^:]+):(.+)$'
                  replacementOCI: 'http://{{cache.Address}}/v2/$1/manifests/$2'
                  replacementArch: 'http://{{cache.Address}}/v2/$1/manifests/ARCHDIGEST'
            """
        );
        await File.WriteAllTextAsync(
            folder.PathOf("pod.yaml"),
            $$"""{kind: Pod, spec: {containers: [{image: "{{upstream.Address}}/team/app:1"}]} }"""
        );
        string[] inputs = ["--config", folder.PathOf("config.yaml"), "-f", folder.PathOf("pod.yaml")];
        var blobs = BlobsOf(image.Platforms["amd64"]);
        var (exitCode, output, error) = await ProxySwapperProgram.RunAsync(["report", "--fail-on", "missing", .. inputs]);
        Assert.That((exitCode, error), Is.EqualTo((0, "")), output);
        Assert.That(output, Does.StartWith("1 image in 1 workload and 0 Pods: 0 downstream, 0 missing, 0 not swapped, 1 on demand.\n"));
        Assert.That(output, Does.Contain($"Without {upstream.Address}, it is not known whether 1 image of 1 workload could restart."));
        Assert.That(blobs.Any(digest => IsStored(cache, digest)), Is.False, "the cache has responded for what it does not have");
        (exitCode, output, error) = await ProxySwapperProgram.RunAsync(["backfill", .. inputs]);
        Assert.That(exitCode, Is.Zero, output + error);
        Assert.That(error, Does.Match(@"\AAssumed: [^\n]*\n\z"));
        Assert.That(output, Does.Contain($"{cache.Address}/team/app:1").And.Contain("1 copied"));
        await TestWait.UntilAsync(() => blobs.All(digest => IsStored(cache, digest)), "the blobs in the cache");
        await upstream.DisposeAsync();
        await Skopeo.PullAsync($"{cache.Address}/team/app@{image.Platforms["amd64"].Digest}");
    }

    private static IReadOnlyList<string> BlobsOf(ProxySwapper.Registry.Oci.Manifest manifest)
    {
        var json = System.Text.Json.Nodes.JsonNode.Parse(manifest.Bytes.Span)!;
        return [(string)json["config"]!["digest"]!, .. json["layers"]!.AsArray().Select(layer => (string)layer!["digest"]!)];
    }

    private static bool IsStored(DebianRegistry cache, string digest)
    {
        var hex = digest["sha256:".Length..];
        return File.Exists(Path.Combine(cache.DataFolder, "docker/registry/v2/blobs/sha256", hex[..2], hex, "data"));
    }
}
