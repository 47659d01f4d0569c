using ProxySwapper.Mirroring;
using ProxySwapper.Registry;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Registry.Oci;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Registries;

namespace ProxySwapper.Tests.Mirroring;

/// <summary>Mode <c>all</c> between registries without the referrers API, where fallback tags of referrers are among the tags.</summary>
[TestFixture]
internal sealed class MirrorReferrersTests
{
    private readonly TestImage _image = TestImage.Create(1, layers: 1, platforms: ["amd64", "arm64"]);
    private FaultyRegistry _source = null!;
    private FaultyRegistry _target = null!;

    private string Tag => $"sha256-{_image.Top.Digest.Hex}";

    [SetUp]
    public async Task StartAsync()
    {
        var options = new InMemoryRegistryOptions { ReferrersApi = false };
        (_source, _target) = (await FaultyRegistry.StartAsync(options), await FaultyRegistry.StartAsync(options));
        _image.AddTo(_source.Registry, "team/app", "1.0.0");
        TestReferrers.AddIndex(_source.Registry, "team/app", Tag, AddSbom(1), AddSbom(2));
    }

    [TearDown]
    public async Task StopAsync()
    {
        await _source.DisposeAsync();
        await _target.DisposeAsync();
    }

    [Test]
    public async Task A_list_of_referrers_is_no_tag_that_differs([Values(1, 4)] int parallel, [Values] bool replaceTag)
    {
        var settings = $"replace-tag: {(replaceTag ? "true" : "false")}";
        await AssertCompleteAsync(settings, parallel, MirrorOutcome.Copied);
        await AssertCompleteAsync(settings, parallel, MirrorOutcome.UpToDate);
        // What was signed at the destination stays.
        var own = TestReferrers.AddSbom(_target.Registry, "team/app", _image.Top.Digest, 3);
        TestReferrers.AddIndex(_target.Registry, "team/app", Tag, own);
        await AssertCompleteAsync(settings, parallel, replaceTag ? MirrorOutcome.Replaced : MirrorOutcome.UpToDate);
        Assert.That(Listed(), Does.Contain(own.Digest));
        Assert.That(Listed().Count(), Is.EqualTo(replaceTag ? 3 : 1));
    }

    [Test]
    public async Task A_list_of_referrers_has_no_platforms_to_leave_out()
    {
        var report = await MirrorAsync("platforms: [linux/amd64]", 1);
        Assert.That(
            report.Results.Select(result => result.Outcome),
            Is.All.EqualTo(MirrorOutcome.Copied),
            string.Join('\n', report.Results)
        );
        // Those of the whole image are no longer found by the image, so they are named.
        Assert.That(
            report.Results.Single(result => result.Tag == "1.0.0").Detail,
            Does.StartWith($"referrers of {_image.Top.Digest} that were not copied")
        );
        Assert.That(Listed().Count(), Is.EqualTo(2));
    }

    /// <summary>A list whose image is no longer there has nothing with which it could come along.</summary>
    [Test]
    public async Task Referrers_of_an_image_that_is_not_there_are_copied_as_their_tag()
    {
        var gone = Digest.OfBytes("gone"u8);
        var (tag, cosign) = ($"sha256-{gone.Hex}", $"sha256-{gone.Hex}.sig");
        var sbom = TestReferrers.AddSbom(_source.Registry, "team/app", gone);
        TestReferrers.AddIndex(_source.Registry, "team/app", tag, sbom);
        TestImage.Create(2, layers: 1).AddTo(_source.Registry, "team/app", cosign);
        await AssertCompleteAsync("replace-tag: false", 4, MirrorOutcome.Copied);
        Assert.That(TestReferrers.List(_target.Registry, "team/app", tag), Is.EqualTo(new[] { sbom.Digest }));
        Assert.That(_target.Registry.Repository("team/app").Tags, Does.ContainKey(cosign));
    }

    private async Task AssertCompleteAsync(string settings, int parallel, MirrorOutcome outcome)
    {
        var report = await MirrorAsync(settings, parallel);
        Assert.That(report.IsComplete, Is.True, string.Join('\n', report.Results));
        Assert.That(report.Results.Select(result => result.Outcome), Does.Contain(outcome));
    }

    private IEnumerable<Digest> Listed() => TestReferrers.List(_target.Registry, "team/app", Tag);

    private Descriptor AddSbom(int number) => TestReferrers.AddSbom(_source.Registry, "team/app", _image.Top.Digest, number);

    private Task<MirrorReport> MirrorAsync(string settings, int parallel) =>
        MirrorFiles.RunAsync(
            $"images: {{app: {{source: {_source.Address}/team/app, destination: {_target.Address}/team/app, mode: all, "
                + $"referrers: true, {settings}}}}}",
            new MirrorSettings { Parallel = parallel }
        );
}
