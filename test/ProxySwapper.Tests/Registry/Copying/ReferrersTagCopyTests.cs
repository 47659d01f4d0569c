using System.Text;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Copying;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Registry.Oci;
using ProxySwapper.Registry.Transport;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Registries;
using Kind = ProxySwapper.Registry.InMemory.InMemoryRegistryRequestKind;

namespace ProxySwapper.Tests.Registry.Copying;

/// <summary>Registries without the referrers API, where a fallback tag lists what refers to an image.</summary>
[TestFixture]
internal sealed class ReferrersTagCopyTests
{
    private readonly TestImage _image = TestImage.Create(1);
    private CopyScene _scene = null!;

    private string Tag => $"sha256-{_image.Top.Digest.Hex}";

    private InMemoryRegistryRepository Target => _scene.Target.Registry.Repository("mirror/app");

    [SetUp]
    public async Task StartAsync()
    {
        var options = new InMemoryRegistryOptions { ReferrersApi = false };
        _scene = await CopyScene.StartAsync(target: options, source: options);
        _image.AddTo(_scene.Source.Registry, "team/app", "1");
    }

    [TearDown]
    public async Task StopAsync() => await _scene.DisposeAsync();

    [Test]
    public async Task A_referrer_whose_entry_could_not_be_written_gets_it_from_the_next_copy()
    {
        var (one, two) = (AddSbom(1), AddSbom(2));
        TestReferrers.AddIndex(_scene.Source.Registry, "team/app", Tag, one, two);
        var request = _scene.Request() with { Referrers = true };
        FailAtEntry(request);
        var plan = await _scene.Copier.PlanAsync(request, CancellationToken.None);
        Assert.That(plan.Manifests.Select(manifest => manifest.Digest), Is.SupersetOf(new[] { one.Digest, two.Digest }));
        await _scene.CopyAsync(request);
        Assert.That(Listed(), Is.EquivalentTo(new[] { one.Digest, two.Digest }));
        Assert.That((await _scene.CopyAsync(request)).Outcome, Is.EqualTo(CopyOutcome.UpToDate));
    }

    /// <summary>As BuildKit's attestations with <c>oci-artifact=true</c>; without asking for referrers.</summary>
    [Test]
    public async Task A_manifest_of_an_index_whose_entry_could_not_be_written_gets_it_from_the_next_copy()
    {
        var sbom = AddSbom(1);
        TestReferrers.AddIndex(_scene.Source.Registry, "team/app", "2", _image.Top.Descriptor, sbom);
        var request = _scene.Request("team/app:2", "mirror/app:2");
        FailAtEntry(request);
        await _scene.CopyAsync(request);
        Assert.That(Listed(), Is.EqualTo(new[] { sbom.Digest }));
    }

    [Test]
    public async Task The_tag_of_a_referrer_is_written_after_its_entry()
    {
        var sbom = AddSbom(1);
        _scene.Source.Registry.Repository("team/app").Tags["sbom"] = sbom.Digest;
        var request = _scene.Request("team/app:sbom", "mirror/app:sbom");
        FailAtEntry(request);
        await _scene.CopyAsync(request);
        Assert.That((Target.Tags["sbom"], Listed().Single()), Is.EqualTo((sbom.Digest, sbom.Digest)));
    }

    [Test]
    public async Task An_artifact_by_digest_whose_entry_could_not_be_written_gets_it_from_the_next_copy([Values] bool hasReferrers)
    {
        var sbom = AddSbom(1);
        var name = $"app@{sbom.Digest}";
        var request = _scene.Request($"team/{name}", $"mirror/{name}") with { Referrers = hasReferrers };
        FailAtEntry(request);
        Assert.That((await _scene.Copier.PlanAsync(request, CancellationToken.None)).IsUpToDate, Is.False);
        Assert.That((await _scene.CopyAsync(request)).Outcome, Is.EqualTo(CopyOutcome.Copied));
        Assert.That(Listed(), Is.EqualTo(new[] { sbom.Digest }));
        Assert.That((await _scene.CopyAsync(request)).Outcome, Is.EqualTo(CopyOutcome.UpToDate));
    }

    /// <summary>The API makes the tag unnecessary; one response shows that a host has it.</summary>
    [Test]
    public async Task A_target_with_the_API_is_asked_for_it_once()
    {
        await using var scene = await CopyScene.StartAsync();
        _image.AddTo(scene.Source.Registry, "team/app", "1", "2");
        _image.AddTo(scene.Target.Registry, "mirror/app", "1", "2");
        for (var number = 0; number < 3; number++)
        {
            TestReferrers.AddSbom(scene.Source.Registry, "team/app", _image.Top.Digest, number);
            TestReferrers.AddSbom(scene.Target.Registry, "mirror/app", _image.Top.Digest, number);
        }
        foreach (var tag in new[] { "1", "2" })
        {
            var result = await scene.CopyAsync(scene.Request($"team/app:{tag}", $"mirror/app:{tag}") with { Referrers = true });
            Assert.That(result.Outcome, Is.EqualTo(CopyOutcome.UpToDate));
        }
        Assert.That(scene.Target.Received.Where(request => request.Method == "GET").Select(request => request.Path), Has.Exactly(1).Items);
    }

    [TestCase("application/vnd.oci.image.manifest.v1+json", "\"layers\":[]", "it is not an image index")]
    [TestCase("application/vnd.oci.image.index.v1+json", "\"annotations\":{}", "it is not an image index")]
    [TestCase("application/vnd.oci.image.index.v1+json", "\"manifests\":{}", "manifests must be a list")]
    [TestCase(
        "application/vnd.oci.image.index.v1+json",
        "\"manifests\":[7]",
        "manifests[0] is not a valid descriptor: it must be an object"
    )]
    public void What_is_no_list_of_referrers_is_neither_replaced_nor_taken_for_none(string mediaType, string members, string reason)
    {
        var content = Encoding.UTF8.GetBytes($$"""{"schemaVersion":2,"mediaType":"{{mediaType}}",{{members}}}""");
        var own = _scene.Source.Registry.AddManifest("team/app", mediaType, content, Tag).Digest;
        AssertNamed(_scene.Source.Address + "/team/app");
        TestReferrers.AddIndex(_scene.Source.Registry, "team/app", Tag, AddSbom(1));
        _scene.Target.Registry.AddManifest("mirror/app", mediaType, content, Tag);
        AssertNamed(_scene.Target.Address + "/mirror/app");
        Assert.That(Target.Tags[Tag], Is.EqualTo(own));
        Assert.That(Target.Tags, Has.No.Member("1"));

        void AssertNamed(string repository) =>
            Assert.That(
                Assert.ThrowsAsync<RegistryException>(() => _scene.CopyAsync(_scene.Request() with { Referrers = true }))!.Message,
                Is.EqualTo(
                    $"GET {repository}:{Tag}: HTTP 200: {mediaType} {own} is not a list of referrers: {reason}; where registries have no "
                        + "referrers API, this tag lists the signatures and SBOMs of an image. Give what is there another tag, and remove "
                        + "this one"
                )
            );
    }

    [Test]
    public async Task With_the_API_the_tag_is_one_like_others()
    {
        await using var scene = await CopyScene.StartAsync();
        _image.AddTo(scene.Source.Registry, "team/app", "1", Tag);
        _image.AddTo(scene.Target.Registry, "mirror/app", Tag);
        TestReferrers.AddSbom(scene.Source.Registry, "team/app", _image.Top.Digest);
        await scene.CopyAsync(scene.Request() with { Referrers = true });
        Assert.That(scene.Target.Registry.Repository("mirror/app").Tags[Tag], Is.EqualTo(_image.Top.Digest));
    }

    /// <summary>Some keep an image by a tag of its digest.</summary>
    [Test]
    public void The_platforms_of_an_index_are_not_its_referrers()
    {
        var image = TestImage.Create(2, platforms: ["amd64", "arm64"]);
        image.AddTo(_scene.Source.Registry, "team/app", "2", $"sha256-{image.Top.Digest.Hex}");
        var fault = Assert.ThrowsAsync<RegistryException>(() => _scene.CopyAsync(_scene.Request("team/app:2") with { Referrers = true }))!;
        Assert.That(fault.Message, Does.Contain("is not a list of referrers: it is the image itself"));
    }

    [Test]
    public async Task A_list_of_referrers_is_added_to_that_of_the_target([Values] bool isEmpty, [Values] bool hasPlatforms)
    {
        var (ours, theirs) = (AddSbom(1), TestReferrers.AddSbom(_scene.Target.Registry, "mirror/app", _image.Top.Digest, 2));
        TestReferrers.AddIndex(_scene.Source.Registry, "team/app", Tag, ours);
        if (!isEmpty)
            TestReferrers.AddIndex(_scene.Target.Registry, "mirror/app", Tag, theirs);
        var request = _scene.Request($"team/app:{Tag}", $"mirror/app:{Tag}") with
        {
            Referrers = true,
            Platforms = hasPlatforms ? [new Platform("linux", "amd64", null)] : [],
            MayOverwrite = (_, _, _) => new(false),
        };
        Assert.That((await _scene.Copier.PlanAsync(request, CancellationToken.None)).Manifests, Is.Not.Empty);
        var result = await _scene.CopyAsync(request);
        Assert.That((result.Outcome, result.TargetDigest), Is.EqualTo((CopyOutcome.Copied, Target.Tags[Tag])));
        Assert.That(Listed(), Is.EquivalentTo(isEmpty ? [ours.Digest] : new[] { ours.Digest, theirs.Digest }));
        Assert.That((await _scene.Copier.PlanAsync(request, CancellationToken.None)).IsUpToDate, Is.True);
        Assert.That((await _scene.CopyAsync(request)).Outcome, Is.EqualTo(CopyOutcome.UpToDate));
        CopyScene.AssertWhole(_scene.Target.Registry);
    }

    /// <summary>Some clients list manifests that do not name their subject, or leave an empty list behind.</summary>
    [Test]
    public async Task The_list_of_the_target_is_kept_whatever_the_source_has_there([Values] bool isEmpty, [Values] bool hasReferrers)
    {
        var theirs = TestReferrers.AddSbom(_scene.Target.Registry, "mirror/app", _image.Top.Digest, 2);
        TestReferrers.AddIndex(_scene.Target.Registry, "mirror/app", Tag, theirs);
        var signature = TestImage.Create(7);
        signature.AddTo(_scene.Source.Registry, "team/app");
        Descriptor[] ours = isEmpty ? [] : [AddSbom(1), signature.Top.Descriptor];
        TestReferrers.AddIndex(_scene.Source.Registry, "team/app", Tag, ours);
        var request = _scene.Request($"team/app:{Tag}", $"mirror/app:{Tag}") with { Referrers = hasReferrers };
        Assert.That((await _scene.Copier.PlanAsync(request, CancellationToken.None)).IsUpToDate, Is.EqualTo(isEmpty));
        Assert.That((await _scene.CopyAsync(request)).Outcome, Is.EqualTo(isEmpty ? CopyOutcome.UpToDate : CopyOutcome.Copied));
        Assert.That(Listed(), Is.EquivalentTo(ours.Append(theirs).Select(entry => entry.Digest)));
        Assert.That((await _scene.CopyAsync(request)).Outcome, Is.EqualTo(CopyOutcome.UpToDate));
        CopyScene.AssertWhole(_scene.Target.Registry);
    }

    /// <summary>Who populates images of Pods must not add to the list of another source's image.</summary>
    [Test]
    public void A_list_that_is_an_image_like_others_is_not_merged([Values] bool isList)
    {
        var theirs = TestReferrers.AddSbom(_scene.Target.Registry, "mirror/app", _image.Top.Digest, 2);
        if (isList)
            TestReferrers.AddIndex(_scene.Target.Registry, "mirror/app", Tag, theirs);
        else
            TestImage.Create(3).AddTo(_scene.Target.Registry, "mirror/app", Tag);
        var before = Target.Tags[Tag];
        TestReferrers.AddIndex(_scene.Source.Registry, "team/app", Tag, AddSbom(1));
        var named = 0;
        var request = _scene.Request($"team/app:{Tag}", $"mirror/app:{Tag}") with
        {
            MergesReferrers = false,
            MayOverwrite = (_, _, _) => new(false),
            BeforeNaming = _ =>
            {
                named++;
                return Task.CompletedTask;
            },
        };
        Assert.That(() => _scene.CopyAsync(request), Throws.TypeOf<CopyException>().With.Message.Contains("must not be overwritten"));
        Assert.That((Target.Tags[Tag], named), Is.EqualTo((before, 0)));
    }

    [Test]
    public void An_image_does_not_replace_a_list_of_referrers()
    {
        var theirs = TestReferrers.AddSbom(_scene.Target.Registry, "mirror/app", _image.Top.Digest, 2);
        var list = TestReferrers.AddIndex(_scene.Target.Registry, "mirror/app", Tag, theirs);
        Assert.That(
            () => _scene.CopyAsync(_scene.Request("team/app:1", $"mirror/app:{Tag}")),
            Throws
                .TypeOf<CopyException>()
                .With.Message.EqualTo(
                    $"{_scene.Target.Address}/mirror/app:{Tag} is a list of referrers, such as signatures, and must not be overwritten "
                        + $"with {_scene.Source.Address}/team/app:1, which is none. Give what is there another tag"
                )
        );
        Assert.That(Target.Tags[Tag], Is.EqualTo(list.Digest));
    }

    /// <summary>An image that is kept by a tag of its digest, in part.</summary>
    [Test]
    public async Task An_index_of_platforms_is_no_list_of_referrers()
    {
        var image = TestImage.Create(2, platforms: ["amd64", "arm64"]);
        var tag = $"sha256-{image.Top.Digest.Hex}";
        image.AddTo(_scene.Source.Registry, "team/app", tag);
        var request = _scene.Request($"team/app:{tag}", $"mirror/app:{tag}");
        foreach (var platform in new[] { "amd64", "arm64" })
        {
            await _scene.CopyAsync(request with { Platforms = [new Platform("linux", platform, null)] });
            Assert.That(
                TestReferrers.List(_scene.Target.Registry, "mirror/app", tag),
                Is.EqualTo(new[] { image.Platforms[platform].Digest })
            );
        }
    }

    /// <summary>The first copy writes the manifests and fails at the fallback tag.</summary>
    private void FailAtEntry(CopyRequest request)
    {
        _scene.Target.Always(
            (received, kind) =>
                received.Method == "PUT" && kind == Kind.Manifest && received.Path.Value!.EndsWith(Tag, StringComparison.Ordinal),
            RegistryFaults.Status(403, "DENIED", "no")
        );
        Assert.ThrowsAsync<RegistryException>(() => _scene.CopyAsync(request));
        Assert.That(Target.Tags, Is.Empty);
        _scene.Target.RemoveFaults();
    }

    private IEnumerable<Digest> Listed() => TestReferrers.List(_scene.Target.Registry, "mirror/app", Tag);

    private Descriptor AddSbom(int number) => TestReferrers.AddSbom(_scene.Source.Registry, "team/app", _image.Top.Digest, number);
}
