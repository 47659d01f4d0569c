using System.Text;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Copying;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Registry.Oci;
using ProxySwapper.Registry.Transport;
using ProxySwapper.Testing.Images;

namespace ProxySwapper.Tests.Registry.Copying;

/// <summary>Some platforms of an index.</summary>
[TestFixture]
internal sealed class PlatformCopyTests : CopyFixture
{
    private static readonly string[] TwoPlatforms = ["amd64", "arm64"];

    [Test]
    public async Task One_platform_of_an_index_is_a_new_valid_index()
    {
        var image = TestImage.Create(1, platforms: TwoPlatforms);
        image.AddTo(Scene.Source.Registry, "team/app", "1");
        var request = Scene.Request() with { Platforms = [new Platform("linux", "arm64")] };
        var result = await Scene.CopyAsync(request);
        var again = await Scene.CopyAsync(request);
        var target = Scene.Target.Registry.Repositories["mirror/app"];
        Assert.Multiple(() =>
        {
            Assert.That(result.TargetDigest, Is.Not.EqualTo(result.SourceDigest));
            Assert.That(target.Manifests.Keys, Is.EquivalentTo(new[] { result.TargetDigest, image.Platforms["arm64"].Digest }));
            Assert.That(target.Find("1")!.MediaType, Is.EqualTo(MediaTypes.OciIndex));
            Assert.That(again.Outcome, Is.EqualTo(CopyOutcome.UpToDate), "the same choice makes the same index");
        });
    }

    [Test]
    public async Task Sparse_keeps_the_index_and_its_digest()
    {
        await using var scene = await CopyScene.StartAsync(new InMemoryRegistryOptions { SparseIndexes = true });
        var image = TestImage.Create(1, platforms: TwoPlatforms);
        image.AddTo(scene.Source.Registry, "team/app", "1");
        var result = await scene.CopyAsync(
            scene.Request() with
            {
                Platforms = [new Platform("linux", "arm64")],
                Subset = PlatformSubset.Sparse,
            }
        );
        Assert.That(
            (result.TargetDigest, scene.Target.Registry.Repositories["mirror/app"].Manifests.Count),
            Is.EqualTo((image.Top.Digest, 2))
        );
        CopyScene.AssertWhole(scene.Target.Registry, isSparse: true);
    }

    [Test]
    public void A_registry_that_rejects_a_sparse_index_is_quoted_and_has_no_tag()
    {
        TestImage.Create(1, platforms: TwoPlatforms).AddTo(Scene.Source.Registry, "team/app", "1");
        Assert.That(
            () => Scene.CopyAsync(Scene.Request() with { Platforms = [new Platform("linux", "arm64")], Subset = PlatformSubset.Sparse }),
            Throws.TypeOf<RegistryException>().With.Message.Contains("MANIFEST_BLOB_UNKNOWN")
        );
        Assert.That(Scene.Target.Registry.Repositories["mirror/app"].Tags, Is.Empty);
    }

    [Test]
    public async Task Flatten_writes_the_one_manifest_under_the_tag()
    {
        var image = TestImage.Create(1, platforms: TwoPlatforms);
        image.AddTo(Scene.Source.Registry, "team/app", "1");
        var result = await Scene.CopyAsync(
            Scene.Request() with
            {
                Platforms = [new Platform("linux", "arm64")],
                Subset = PlatformSubset.Flatten,
            }
        );
        Assert.That(
            (result.TargetDigest, Scene.Target.Registry.Repositories["mirror/app"].Manifests.Count),
            Is.EqualTo((image.Platforms["arm64"].Digest, 1))
        );
    }

    [Test]
    public void A_platform_that_is_missing_is_reported_with_those_that_are()
    {
        TestImage.Create(1, platforms: TwoPlatforms).AddTo(Scene.Source.Registry, "team/app", "1");
        Assert.That(
            () => Scene.CopyAsync(Scene.Request() with { Platforms = [new Platform("linux", "s390x")] }),
            Throws.TypeOf<CopyException>().With.Message.Contains("has no linux/s390x; it has linux/amd64, linux/arm64")
        );
    }

    [Test]
    public void An_index_of_nothing_has_no_platform([Values] PlatformSubset subset)
    {
        var index = Encoding.UTF8.GetBytes($$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciIndex}}","manifests":[]}""");
        Scene.Source.Registry.AddManifest("team/app", MediaTypes.OciIndex, index, "1");
        Assert.That(
            () => Scene.CopyAsync(Scene.Request() with { Platforms = [new Platform("linux", "arm64")], Subset = subset }),
            Throws.TypeOf<CopyException>().With.Message.EqualTo($"{Digest.OfBytes(index)} has no linux/arm64; it has no manifests")
        );
    }
}
