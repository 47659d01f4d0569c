using System.Security.Cryptography;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Copying;
using ProxySwapper.Registry.Oci;
using ProxySwapper.Registry.Transport;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Registries;
using Kind = ProxySwapper.Registry.InMemory.InMemoryRegistryRequestKind;

namespace ProxySwapper.Tests.Registry.Copying;

/// <summary>Signatures and SBOMs come along when they are requested.</summary>
[TestFixture]
internal sealed class ReferrerCopyTests : CopyFixture
{
    private readonly TestImage _image = TestImage.Create(1);

    [SetUp]
    public void AddImage() => _image.AddTo(Scene.Source.Registry, "team/app", "1");

    [Test]
    public async Task Referrers_and_cosign_tags_come_along()
    {
        var signature = TestImage.Create(2);
        signature.AddTo(Scene.Source.Registry, "team/app", $"sha256-{_image.Top.Digest.Hex}.sig");
        var sbom = AddSbom(_image.Top.Digest);
        await Scene.CopyAsync(Scene.Request() with { Referrers = true });
        var target = Scene.Target.Registry.Repositories["mirror/app"];
        Assert.That(target.Manifests.Keys, Is.EquivalentTo(new[] { _image.Top.Digest, signature.Top.Digest, sbom }));
        Assert.That(target.Tags[$"sha256-{_image.Top.Digest.Hex}.sig"], Is.EqualTo(signature.Top.Digest));
    }

    [Test]
    public async Task Referrers_of_an_image_with_a_longer_digest_come_along()
    {
        var digest = Digest.OfHash(HashAlgorithmName.SHA512, SHA512.HashData(_image.Top.Bytes.Span));
        Scene.Source.Registry.Repository("team/app").Manifests[digest] = _image.Top with { Digest = digest };
        var sbom = AddSbom(digest);
        await Scene.CopyAsync(Scene.Request($"team/app@{digest}", $"mirror/app@{digest}") with { Referrers = true });
        Assert.That(Scene.Target.Registry.Repositories["mirror/app"].Manifests.Keys, Is.EquivalentTo(new[] { digest, sbom }));
    }

    [Test]
    public async Task The_plan_has_what_refers_to_the_image_too([Values] bool isImageThere)
    {
        if (isImageThere)
            await Scene.CopyAsync();
        var sbom = AddSbom(_image.Top.Digest);
        var request = Scene.Request() with { Referrers = true };
        var before = Scene.Target.Received.Count;
        var plan = await Scene.Copier.PlanAsync(request, CancellationToken.None);
        Assert.That(Scene.Target.Received.Skip(before).Select(received => received.Method), Is.All.EqualTo("HEAD").Or.EqualTo("GET"));
        before = Scene.Target.Received.Count;
        await Scene.CopyAsync(request);
        Assert.That(
            plan.Manifests.Select(manifest => manifest.Digest),
            Is.EqualTo(isImageThere ? [sbom] : new[] { sbom, _image.Top.Digest })
        );
        var written = Scene.Target.Received.Skip(before).Count(received => received.Method is "POST" or "PUT" or "PATCH");
        Assert.That(plan.Requests, Is.EqualTo(written));
        Assert.That((await Scene.Copier.PlanAsync(request, CancellationToken.None)).IsUpToDate, Is.True);
    }

    [TestCase("team/app:1", "mirror/app:1", "1")]
    [TestCase("team/app:1", "mirror/app:1@{0}", "1")]
    public async Task The_tag_is_written_after_all_that_refers_to_its_image(string source, string target, string last)
    {
        var sbom = AddSbom(_image.Top.Digest);
        var digest = _image.Top.Digest.ToString();
        await Scene.CopyAsync(Scene.Request(source, target.Replace("{0}", digest, StringComparison.Ordinal)) with { Referrers = true });
        var written = Scene.Target.Received.Where(request => request.Method == "PUT" && request.Path.Contains("/manifests/"));
        Assert.That(written.Select(request => request.Path.Split('/')[^1]), Is.EqualTo(new[] { digest, sbom.ToString(), last }));
    }

    [Test]
    public async Task A_copy_whose_referrers_fail_leaves_no_tag_that_looks_complete()
    {
        var sbom = AddSbom(_image.Top.Digest);
        Scene.Source.Always(
            (request, _) => request.Path.Value!.EndsWith(sbom.ToString(), StringComparison.Ordinal),
            RegistryFaults.Status(404)
        );
        var request = Scene.Request() with { Referrers = true };
        Assert.That(Assert.ThrowsAsync<RegistryException>(() => Scene.CopyAsync(request))!.Message, Does.Contain(sbom.ToString()));
        Assert.That(Scene.Target.Registry.Repositories["mirror/app"].Tags, Is.Empty);
        Scene.Source.RemoveFaults();
        await Scene.CopyAsync(request);
        Assert.That(Scene.Target.Registry.Repositories["mirror/app"].Tags.Keys, Is.EqualTo(new[] { "1" }));
        Assert.That(Scene.Target.Registry.Repositories["mirror/app"].Manifests, Does.ContainKey(sbom));
    }

    [Test]
    public async Task A_tag_of_cosign_stays_where_tags_must_not_be_overwritten([Values] bool isHeadTrusted, [Values] bool mayOverwrite)
    {
        var tag = $"sha256-{_image.Top.Digest.Hex}.sig";
        var (theirs, ours) = (TestImage.Create(2), TestImage.Create(3));
        theirs.AddTo(Scene.Source.Registry, "team/app", tag);
        ours.AddTo(Scene.Target.Registry, "mirror/app", tag);
        if (!isHeadTrusted)
            Scene.Target.Always(HttpMethod.Head, Kind.Manifest, RegistryFaults.Status(404));
        var result = await Scene.CopyAsync(Scene.Request() with { Referrers = true, MayOverwrite = (_, _, _) => new(mayOverwrite) });
        var target = Scene.Target.Registry.Repositories["mirror/app"];
        Assert.That(target.Tags["1"], Is.EqualTo(_image.Top.Digest));
        Assert.That(target.Tags[tag], Is.EqualTo((mayOverwrite ? theirs : ours).Top.Digest));
        Assert.That(result.Omissions.KeptTags, Is.EqualTo(mayOverwrite ? [] : new[] { tag }));
    }

    /// <summary>It may point at something, which must not be overwritten.</summary>
    [Test]
    public async Task A_tag_of_cosign_that_the_target_cannot_read_is_only_written_where_tags_may_move([Values] bool mayMove)
    {
        var tag = $"sha256-{_image.Top.Digest.Hex}.sig";
        var (theirs, ours) = (TestImage.Create(2), TestImage.Create(3));
        theirs.AddTo(Scene.Source.Registry, "team/app", tag);
        ours.AddTo(Scene.Target.Registry, "mirror/app", tag);
        Scene.Target.Always(
            (request, _) => request.Method is "HEAD" or "GET" && request.Path.Value!.EndsWith(tag, StringComparison.Ordinal),
            RegistryFaults.Status(500, "UNKNOWN", "unknown error")
        );
        var request = Scene.Request() with { Referrers = true, MayOverwrite = mayMove ? null : (_, _, _) => new(true) };
        if (mayMove)
            await Scene.CopyAsync(request);
        else
            Assert.That(
                Assert.ThrowsAsync<RegistryException>(() => Scene.CopyAsync(request))!.Message,
                Is.EqualTo($"GET {Scene.Target.Address}/mirror/app:{tag}: internal server error (HTTP 500): UNKNOWN: unknown error")
            );
        Assert.That(Scene.Target.Registry.Repositories["mirror/app"].Tags[tag], Is.EqualTo((mayMove ? theirs : ours).Top.Digest));
    }

    /// <summary>A garbage collection removes manifests without a tag, which the image is until its referrers are copied.</summary>
    [Test]
    public async Task What_is_collected_before_the_tag_is_written_again()
    {
        var sbom = AddSbom(_image.Top.Digest);
        var collected = false;
        Scene.Target.Choose(
            (request, _) =>
                request.Method == "PUT" && request.Path.Value!.EndsWith("/manifests/1", StringComparison.Ordinal) && !collected
                    ? RegistryFaults.Meanwhile(() =>
                    {
                        collected = true;
                        Scene.Target.Registry.Repositories["mirror/app"].Manifests.Clear();
                        Scene.Target.Registry.Repositories["mirror/app"].Blobs.Clear();
                    })
                    : null
        );
        await Scene.CopyAsync(Scene.Request() with { Referrers = true });
        var target = Scene.Target.Registry.Repositories["mirror/app"];
        Assert.That((collected, target.Tags["1"]), Is.EqualTo((true, _image.Top.Digest)));
        Assert.That(target.Manifests.Keys, Is.EquivalentTo(new[] { _image.Top.Digest, sbom }));
    }

    /// <summary>They refer to a digest that the target does not get.</summary>
    [Test]
    public async Task Referrers_of_an_index_that_is_copied_in_part_are_named(
        [Values] PlatformSubset subset,
        [Values] bool isThere,
        [Values("amd64", "arm64")] string signed
    )
    {
        var image = TestImage.Create(5, platforms: ["amd64", "arm64"]);
        var tag = $"sha256-{image.Top.Digest.Hex}.sig";
        image.AddTo(Scene.Source.Registry, "team/app", "2");
        TestImage.Create(2).AddTo(Scene.Source.Registry, "team/app", tag);
        var ofIndex = AddSbom(image.Top.Digest);
        var ofPlatform = AddSbom(image.Platforms[signed].Digest);
        var request = Scene.Request("team/app:2", "mirror/app:2") with
        {
            Platforms = [new Platform("linux", "amd64", null)],
            Subset = subset,
            Referrers = true,
        };
        if (subset == PlatformSubset.Sparse)
            Scene.Target.Registry.Repository("mirror/app").Manifests[image.Platforms["arm64"].Digest] = image.Platforms["arm64"];
        if (isThere)
            await Scene.CopyAsync(request);
        var plan = await Scene.Copier.PlanAsync(request, CancellationToken.None);
        var result = await Scene.CopyAsync(request);
        Assert.That(result.Outcome, Is.EqualTo(isThere ? CopyOutcome.UpToDate : CopyOutcome.Copied));
        Assert.That(result.Omissions.LeftReferrers, Is.EqualTo(subset == PlatformSubset.Sparse ? [] : new[] { ofIndex.ToString(), tag }));
        Assert.That(
            result.Omissions.Sentences,
            Is.EqualTo(
                subset == PlatformSubset.Sparse
                    ? []
                    : new[]
                    {
                        $"referrers of {image.Top.Digest} that were not copied, since the digest differs without some platforms: "
                            + $"{ofIndex}, {tag}",
                    }
            )
        );
        Assert.That(plan.Omissions.Sentences, Is.EqualTo(result.Omissions.Sentences));
        var target = Scene.Target.Registry.Repositories["mirror/app"];
        Assert.That(target.Manifests.ContainsKey(ofPlatform), Is.EqualTo(signed == "amd64"));
        target.Manifests.TryRemove(image.Platforms["arm64"].Digest, out _);
        if (subset == PlatformSubset.Sparse)
            target.Manifests.TryRemove(image.Top.Digest, out _);
        target.Tags.TryRemove("2", out _);
    }

    /// <summary>A tag that is written would be up to date for all later runs.</summary>
    [Test]
    public async Task No_tag_is_written_if_referrers_that_stay_behind_cannot_be_listed()
    {
        var image = TestImage.Create(5, platforms: ["amd64", "arm64"]);
        image.AddTo(Scene.Source.Registry, "team/app", "2");
        RespondToReferrers(image.Top.Digest, RegistryFaults.Status(403, "DENIED", "no"));
        var request = Scene.Request("team/app:2", "mirror/app:2") with
        {
            Platforms = [new Platform("linux", "amd64", null)],
            Referrers = true,
        };
        Assert.ThrowsAsync<RegistryException>(() => Scene.CopyAsync(request));
        Assert.That(Scene.Target.Registry.Repository("mirror/app").Tags, Is.Empty);
        Scene.Source.RemoveFaults();
        Assert.That((await Scene.CopyAsync(request)).Outcome, Is.EqualTo(CopyOutcome.Copied));
    }

    private void RespondToReferrers(Digest subject, RegistryFault fault) =>
        Scene.Source.Always((request, _) => request.Path.Value!.EndsWith($"/referrers/{subject}", StringComparison.Ordinal), fault);

    private Digest AddSbom(Digest subject) => TestReferrers.AddSbom(Scene.Source.Registry, "team/app", subject).Digest;
}
