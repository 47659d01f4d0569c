using System.Text;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Copying;
using ProxySwapper.Registry.Oci;
using ProxySwapper.Registry.Transport;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Registries;
using ProxySwapper.Tests.Registry.Copying;
using Kind = ProxySwapper.Registry.InMemory.InMemoryRegistryRequestKind;

namespace ProxySwapper.Tests.Registry.Distribution;

/// <summary>Registries that reject HEAD but not GET (Nexus, GitLab).</summary>
[TestFixture]
internal sealed class RejectedHeadTests
{
    [Test, Combinatorial]
    public async Task An_image_is_copied_from_and_to_a_registry_without_HEAD(
        [Values(400, 403, 404, 405, 422, 501)] int status,
        [Values] bool atSource
    )
    {
        await using var scene = await CopyScene.StartAsync();
        var image = TestImage.Create(1, layers: 2, platforms: ["amd64", "arm64"]);
        image.AddTo(scene.Source.Registry, "team/app", "1");
        (atSource ? scene.Source : scene.Target).Always(
            (request, kind) => request.Method == "HEAD" && kind is Kind.Manifest or Kind.Blob && request.Method == "HEAD",
            RegistryFaults.Status(status)
        );
        await scene.CopyAsync();
        Assert.That(scene.Target.Registry.Repositories["mirror/app"].Tags["1"], Is.EqualTo(image.Top.Digest));
        CopyScene.AssertWhole(scene.Target.Registry);
    }

    [Test]
    public async Task An_image_that_only_a_GET_finds_is_not_written_again()
    {
        await using var scene = await CopyScene.StartAsync();
        var image = TestImage.Create(1, layers: 2, platforms: ["amd64", "arm64"]);
        image.AddTo(scene.Source.Registry, "team/app", "1");
        image.AddTo(scene.Target.Registry, "mirror/app", "1");
        scene.Target.Always((request, kind) => request.Method == "HEAD" && kind == Kind.Manifest, RegistryFaults.Status(404));
        var result = await scene.CopyAsync();
        Assert.That(result.Outcome, Is.EqualTo(CopyOutcome.UpToDate));
        Assert.That(scene.Target.Received.Select(request => request.Method), Is.EqualTo(new[] { "HEAD", "GET" }));
    }

    [Test]
    public async Task A_manifest_that_is_there_under_its_tag_alone_is_read_by_its_tag()
    {
        await using var scene = await CopyScene.StartAsync();
        var image = TestImage.Create(1, layers: 1);
        image.AddTo(scene.Source.Registry, "team/app", "1");
        scene.Source.Always(
            (request, kind) =>
                request.Method == "GET" && kind == Kind.Manifest && request.Path.Value!.Contains("sha256:", StringComparison.Ordinal),
            RegistryFaults.Status(404, "MANIFEST_UNKNOWN", "manifest unknown")
        );
        await scene.CopyAsync();
        Assert.That(scene.Target.Registry.Repositories["mirror/app"].Tags["1"], Is.EqualTo(image.Top.Digest));
    }

    /// <summary>cosign's tags, and the tag of a registry without the referrers API.</summary>
    [TestCase(true)]
    [TestCase(false)]
    public async Task Signatures_are_copied_from_a_registry_without_HEAD(bool isTag)
    {
        await using var scene = await CopyScene.StartAsync();
        var image = TestImage.Create(1, layers: 1);
        image.AddTo(scene.Source.Registry, "team/app", "1");
        var tag = $"sha256-{image.Top.Digest.Hex}{(isTag ? ".sig" : "")}";
        var signature = TestImage.Create(2, layers: 1);
        signature.AddTo(scene.Source.Registry, "team/app", isTag ? [tag] : []);
        if (!isTag)
        {
            var index = Encoding.UTF8.GetBytes(
                $$"""
                {"schemaVersion":2,"mediaType":"{{MediaTypes.OciIndex}}","manifests":
                [{"mediaType":"{{MediaTypes.OciManifest}}","digest":"{{signature.Top.Digest}}","size":{{signature.Top.Bytes.Length}}}]}
                """
            );
            scene.Source.Registry.AddManifest("team/app", MediaTypes.OciIndex, index, tag);
            scene.Source.Always((_, kind) => kind == Kind.Referrers, RegistryFaults.Status(404));
        }
        scene.Source.Always((request, kind) => request.Method == "HEAD" && kind == Kind.Manifest, RegistryFaults.Status(404));
        await scene.CopyAsync(scene.Request() with { Referrers = true });
        Assert.That(scene.Target.Registry.Repositories["mirror/app"].Manifests.Keys, Does.Contain(signature.Top.Digest));
    }

    [Test]
    public async Task A_lookup_asks_again_only_where_no_HEAD_has_found_anything()
    {
        await using var scene = await RegistryScene.StartAsync();
        TestImage.Create(1, layers: 1).AddTo(scene.Registry, "a", "1");
        foreach (var (tag, requests) in new[] { ("2", 2), ("1", 1), ("2", 1) })
        {
            var before = scene.Faulty.Received.Count;
            Assert.That(await scene.Client.LookUpManifestAsync("a", tag, default), tag == "1" ? Is.Not.Null : Is.Null);
            Assert.That(scene.Faulty.Received, Has.Count.EqualTo(before + requests), tag);
        }
    }

    [Test]
    public async Task What_a_GET_has_not_found_is_not_requested_again([Values] bool isForCertain)
    {
        await using var scene = await RegistryScene.StartAsync();
        scene.Faulty.Always(HttpMethod.Head, Kind.Manifest, RegistryFaults.Status(405));
        Assert.That(
            isForCertain
                ? await scene.Client.ResolveManifestAsync("a", "1", default)
                : await scene.Client.LookUpManifestAsync("a", "1", default),
            Is.Null
        );
        Assert.That(scene.Faulty.Received.Select(request => request.Method), Is.EqualTo(new[] { "HEAD", "GET" }));
    }

    [Test]
    public async Task What_is_not_there_is_named_with_its_tag()
    {
        await using var scene = await CopyScene.StartAsync();
        Assert.That(
            async () => await scene.CopyAsync(),
            Throws.InstanceOf<RegistryException>().With.Message.EqualTo($"HEAD {scene.Source.Address}/team/app:1: not found (HTTP 404)")
        );
    }

    [Test]
    public async Task A_rejection_of_the_GET_too_is_the_error_with_what_it_says()
    {
        await using var scene = await RegistryScene.StartAsync();
        scene.Faulty.Always((_, kind) => kind == Kind.Manifest, RegistryFaults.Status(403, "DENIED", "not for you"));
        var digest = Digest.OfBytes("x"u8);
        Assert.That(
            async () => await scene.Client.HeadManifestAsync("a", digest.ToString(), default),
            Throws
                .InstanceOf<RegistryException>()
                .With.Message.EqualTo($"GET {scene.Registry.Address}/a@{digest}: forbidden (HTTP 403): DENIED: not for you")
        );
    }
}
