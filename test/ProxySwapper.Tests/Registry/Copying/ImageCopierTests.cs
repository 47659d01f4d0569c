using System.Text;
using Microsoft.AspNetCore.Http;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Copying;
using ProxySwapper.Registry.Oci;
using ProxySwapper.Registry.Transport;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Registries;
using Kind = ProxySwapper.Registry.InMemory.InMemoryRegistryRequestKind;

namespace ProxySwapper.Tests.Registry.Copying;

[TestFixture]
internal sealed class ImageCopierTests : CopyFixture
{
    private static readonly string[] TwoPlatforms = ["amd64", "arm64"];

    [Test]
    public async Task A_whole_index_arrives_byte_for_byte()
    {
        var image = TestImage.Create(1, layers: 3, platforms: TwoPlatforms);
        image.AddTo(Scene.Source.Registry, "team/app", "1");
        var result = await Scene.CopyAsync();
        var target = Scene.Target.Registry.Repositories["mirror/app"];
        Assert.Multiple(() =>
        {
            Assert.That(
                (result.Outcome, result.SourceDigest, result.TargetDigest),
                Is.EqualTo((CopyOutcome.Copied, image.Top.Digest, image.Top.Digest))
            );
            Assert.That((result.BlobsCopied, result.ManifestsWritten), Is.EqualTo((8, 3)));
            Assert.That(result.BytesCopied, Is.EqualTo(image.Blobs.Values.Sum(blob => blob.Length)));
            Assert.That(target.Find("1")!.Bytes.ToArray(), Is.EqualTo(image.Top.Bytes.ToArray()));
            Assert.That(target.Blobs.Keys, Is.EquivalentTo(image.Blobs.Keys));
        });
    }

    [Test]
    public async Task An_up_to_date_image_costs_two_requests()
    {
        TestImage.Create(1, platforms: TwoPlatforms).AddTo(Scene.Source.Registry, "team/app", "1");
        await Scene.CopyAsync();
        var before = Scene.Source.Registry.Requests + Scene.Target.Registry.Requests;
        var result = await Scene.CopyAsync();
        Assert.That(
            (result.Outcome, Scene.Source.Registry.Requests + Scene.Target.Registry.Requests - before),
            Is.EqualTo((CopyOutcome.UpToDate, 2))
        );
    }

    [Test]
    public async Task A_plan_says_what_a_copy_then_does()
    {
        var image = TestImage.Create(1, platforms: TwoPlatforms);
        image.AddTo(Scene.Source.Registry, "team/app", "1");
        var plan = await Scene.Copier.PlanAsync(Scene.Request(), CancellationToken.None);
        var writes = Scene.Target.Received.Count(IsWrite);
        var result = await Scene.CopyAsync();
        Assert.Multiple(() =>
        {
            Assert.That(writes, Is.Zero, "a plan writes nothing");
            Assert.That(
                (plan.Blobs.Count, plan.Bytes, plan.Manifests.Count),
                Is.EqualTo((result.BlobsCopied, result.BytesCopied, result.ManifestsWritten))
            );
            Assert.That(plan.TargetDigest, Is.EqualTo(result.TargetDigest));
            Assert.That(Scene.Target.Received.Count(IsWrite), Is.EqualTo(plan.Requests));
        });
        Assert.That((await Scene.Copier.PlanAsync(Scene.Request(), CancellationToken.None)).IsUpToDate, Is.True);
    }

    [Test]
    public async Task A_tag_that_moved_at_the_source_is_moved_at_the_target_and_only_what_is_new_is_sent()
    {
        TestImage.Create(1).AddTo(Scene.Source.Registry, "team/app", "1");
        await Scene.CopyAsync();
        var newer = TestImage.Create(2);
        newer.AddTo(Scene.Source.Registry, "team/app", "1");
        var result = await Scene.CopyAsync();
        Assert.That(
            (result.Outcome, Scene.Target.Registry.Repositories["mirror/app"].Tags["1"]),
            Is.EqualTo((CopyOutcome.Copied, newer.Top.Digest))
        );
    }

    [Test]
    public async Task A_digest_is_written_exactly_whatever_the_platforms()
    {
        var image = TestImage.Create(1, platforms: TwoPlatforms);
        image.AddTo(Scene.Source.Registry, "team/app", "1");
        var request = Scene.Request($"team/app@{image.Top.Digest}", $"mirror/app@{image.Top.Digest}") with
        {
            Platforms = [new Platform("linux", "amd64")],
            ExtraTags = ["sha256-x"],
        };
        var result = await Scene.CopyAsync(request);
        var target = Scene.Target.Registry.Repositories["mirror/app"];
        Assert.That(
            (result.TargetDigest, target.Tags["sha256-x"], target.Manifests.Count),
            Is.EqualTo((image.Top.Digest, image.Top.Digest, 3))
        );
    }

    /// <summary>An interrupted write, or the page of a proxy: a HEAD has the digest that was requested, but another size.</summary>
    [Test]
    public async Task A_manifest_of_another_size_is_written_again([Values] bool isTop, [Values] bool isByDigest)
    {
        var image = TestImage.Create(1, platforms: TwoPlatforms);
        image.AddTo(Scene.Source.Registry, "team/app", "1");
        var name = isByDigest ? $"app@{image.Top.Digest}" : "app:1";
        var request = Scene.Request($"team/{name}", $"mirror/{name}");
        await Scene.CopyAsync(request);
        var manifests = Scene.Target.Registry.Repository("mirror/app").Manifests;
        var broken = isTop ? image.Top : image.Platforms["arm64"];
        manifests[broken.Digest] = broken with { Bytes = broken.Bytes[..5] };
        if (!isTop)
            manifests.TryRemove(image.Top.Digest, out _);
        Assert.That((await Scene.Copier.PlanAsync(request, CancellationToken.None)).IsUpToDate, Is.False);
        Assert.That((await Scene.CopyAsync(request)).Outcome, Is.EqualTo(CopyOutcome.Copied));
        Assert.That(manifests[broken.Digest].Bytes.Length, Is.EqualTo(broken.Bytes.Length));
    }

    /// <summary>The size of a HEAD decides nothing by itself.</summary>
    [Test]
    public async Task A_manifest_whose_HEAD_has_another_size_is_up_to_date_if_its_content_is_right()
    {
        TestImage.Create(1, platforms: TwoPlatforms).AddTo(Scene.Source.Registry, "team/app", "1");
        await Scene.CopyAsync();
        Scene.Target.Always(
            (request, kind) => request.Method == "HEAD" && kind == Kind.Manifest,
            RegistryFaults.Header("Content-Length", "5")
        );
        Assert.That((await Scene.CopyAsync()).Outcome, Is.EqualTo(CopyOutcome.UpToDate));
    }

    [Test]
    public void A_missing_image_is_reported() =>
        Assert.That(
            () => Scene.CopyAsync(),
            Throws
                .TypeOf<RegistryException>()
                .With.Message.Contains("team/app")
                .And.Property("Status")
                .EqualTo(System.Net.HttpStatusCode.NotFound)
        );

    [Test]
    public async Task Foreign_layers_are_left_unchanged()
    {
        var foreign = Manifest(
            """{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":CONFIG"""
                + ""","layers":[{"mediaType":"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip","digest":"""
                + """ "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":7,"""
                + """ "urls":["https://example.com/x"]}]}""",
            MediaTypes.DockerManifest
        );
        Scene.Source.Registry.AddManifest("team/app", foreign.MediaType, foreign.Bytes, "1");
        var plan = await Scene.Copier.PlanAsync(Scene.Request(), CancellationToken.None);
        var result = await Scene.CopyAsync();
        Assert.That((result.BlobsCopied, plan.Blobs.Count), Is.EqualTo((1, 1)));
        Assert.That(result.Omissions.Sentences, Is.EqualTo(plan.Omissions.Sentences));
        Assert.That(
            result.Omissions.Sentences.Single(),
            Is.EqualTo(
                "foreign layers that were not copied, which container runtimes download from URLs in the manifest: "
                    + "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
            )
        );
    }

    [Test]
    public async Task A_nested_index_and_content_inline_arrive_whole()
    {
        var image = TestImage.Create(1, platforms: TwoPlatforms);
        image.AddTo(Scene.Source.Registry, "team/app", "inner");
        var outer = Encoding.UTF8.GetBytes(
            $$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciIndex}}","manifests":"""
                + $$"""[{"mediaType":"{{MediaTypes.OciIndex}}","digest":"{{image.Top.Digest}}","size":{{image.Top.Bytes.Length}}}"""
                + $$""",{"mediaType":"{{MediaTypes.OciManifest}}","digest":"{{image.Platforms["amd64"].Digest}}","size":"""
                + $$"""{{image.Platforms["amd64"].Bytes.Length}}}]}"""
        );
        Scene.Source.Registry.AddManifest("team/app", MediaTypes.OciIndex, outer, "1");
        var result = await Scene.CopyAsync();
        Assert.That((result.ManifestsWritten, result.TargetDigest), Is.EqualTo((4, Digest.OfBytes(outer))));
    }

    [Test]
    public async Task A_repository_that_is_missing_is_made_once_where_somebody_can()
    {
        TestImage.Create(1, platforms: TwoPlatforms).AddTo(Scene.Source.Registry, "team/app", "1");
        var isThere = false;
        var made = 0;
        var unknown = RegistryFaults.Status(404, "NAME_UNKNOWN", "repository name not known to registry");
        Scene.Target.Choose((request, _) => isThere || HttpMethods.IsGet(request.Method) && request.Path == "/v2/" ? null : unknown);
        var result = await Scene.CopyAsync(
            Scene.Request() with
            {
                CreateRepository = (image, _) =>
                {
                    (isThere, made) = (true, made + 1);
                    return new(image.Repository == "mirror/app");
                },
            }
        );
        Assert.That((result.Outcome, made), Is.EqualTo((CopyOutcome.Copied, 1)));
    }

    private static bool IsWrite(ReceivedRequest request) => request.Method is "PUT" or "POST" or "PATCH";

    private Manifest Manifest(string json, string mediaType)
    {
        var config = Encoding.UTF8.GetBytes("{}");
        Scene.Source.Registry.AddBlob("team/app", config);
        var bytes = Encoding.UTF8.GetBytes(
            json.Replace(
                "CONFIG",
                $$"""{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{{Digest.OfBytes(config)}}","size":2}""",
                StringComparison.Ordinal
            )
        );
        return new Manifest(mediaType, Digest.OfBytes(bytes), bytes);
    }
}
