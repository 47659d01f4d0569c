using System.Text;
using Microsoft.AspNetCore.Http;
using ProxySwapper.Mirroring;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Registries;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Mirroring;

/// <summary>Mode higher begins above the destination's highest version, so no run may leave a gap below it.</summary>
[TestFixture]
internal sealed class MirrorHigherTests
{
    private const string Failing = "1.0.1";
    private static readonly string[] Tags = ["1.0.0", Failing, "1.0.2", "1.0.3", "1.0.4", "1.0.5"];
    private static readonly TimeSpan CopyTimeout = TimeSpan.FromHours(4);

    private FaultyRegistry _source = null!;
    private FaultyRegistry _target = null!;

    [SetUp]
    public async Task StartAsync()
    {
        (_source, _target) = (await FaultyRegistry.StartAsync(), await FaultyRegistry.StartAsync());
        // The lower, the larger: without an order, the higher ones would be first.
        foreach (var (index, tag) in Tags.Index())
            TestImage.Create(index, layers: 2 * (Tags.Length - index)).AddTo(_source.Registry, "team/app", tag);
    }

    [TearDown]
    public async Task StopAsync()
    {
        await _source.DisposeAsync();
        await _target.DisposeAsync();
    }

    [Test]
    public async Task Tags_are_written_lowest_version_first([Values(1, 4)] int parallel)
    {
        await AssertCompletesAsync(Tags, parallel);
        Assert.That(WrittenTags(), Is.EqualTo(Tags));
    }

    [Test]
    public async Task After_a_failure_the_next_run_begins_there([Values] bool isExitOnError)
    {
        Fail(RegistryFaults.Status(403, "DENIED", "no"));
        var report = await MirrorAsync(new MirrorSettings { ExitOnError = isExitOnError });
        AssertLeft(report, MirrorOutcome.Failed, $"mode higher copies in ascending order, and {Failing} failed");
        await AssertCompletesAsync(Tags[1..]);
    }

    [Test]
    public async Task After_a_pull_limit_the_next_run_begins_there()
    {
        Fail(RegistryFaults.TooManyRequests("3600"));
        var report = await MirrorAsync(new MirrorSettings { OnRateLimit = RateLimitAction.Stop });
        AssertLeft(report, MirrorOutcome.Left, $"the pull limit of {_source.Address} was reached");
        await AssertCompletesAsync(Tags[1..]);
    }

    [Test]
    public async Task After_a_stop_the_next_run_begins_there()
    {
        using var stopping = new CancellationTokenSource();
        Fail(RegistryFaults.NoResponse(stopping.Cancel));
        AssertLeft(await MirrorAsync(new(), cancellationToken: stopping.Token), MirrorOutcome.Left, "the run was stopped");
        await AssertCompletesAsync(Tags[1..]);
    }

    [Test]
    public async Task After_a_timeout_the_next_run_begins_there()
    {
        var time = new ManualTimeProvider();
        Fail(RegistryFaults.NoResponse(() => time.Advance(CopyTimeout)));
        var report = await MirrorAsync(new MirrorSettings { CopyTimeout = CopyTimeout }, time);
        AssertLeft(report, MirrorOutcome.Failed, $"mode higher copies in ascending order, and {Failing} failed");
        await AssertCompletesAsync(Tags[1..]);
    }

    /// <summary>1.0 and 1.0.0 are one version.</summary>
    [Test]
    public async Task Another_tag_of_the_version_that_the_destination_has_is_copied()
    {
        TestImage.Create(9).AddTo(_source.Registry, "team/app", "1.0");
        _source.Always((request, _) => IsManifestOf(request, "1.0.0"), RegistryFaults.Status(403));
        Assert.That((await MirrorAsync(new())).Count(MirrorOutcome.Copied), Is.EqualTo(1));
        await AssertCompletesAsync(Tags);
    }

    /// <summary>No run could copy it, so everything above would be left for ever.</summary>
    [TestCase("application/vnd.oci.image.index.v1+json", """{"manifests":[{"size":-1}]}""", "is not a valid descriptor")]
    [TestCase("application/vnd.docker.distribution.manifest.v1+json", """{"schemaVersion":1}""", "Docker schema 1")]
    [TestCase("text/html", "<html>", "it is not a manifest")]
    [TestCase("application/json", "[1]", "it is not a manifest")]
    [TestCase("text/plain", """{"schemaVersion":2}""", "it is not a manifest")]
    [TestCase("application/json", """{"mediaType":"nonsense"}""", "its media type 'nonsense' is not valid: it must be TYPE/SUBTYPE")]
    [TestCase("application/json", "", "it is not a manifest")]
    [TestCase("application/vnd.oci.image.index.v1+json", """{"manifests":[]}""", "has no linux/amd64; it has no manifests")]
    [TestCase(null, null, "has no linux/amd64; it has linux/arm64, linux/s390x")]
    public async Task An_image_that_cannot_be_copied_holds_back_nothing(string? mediaType, string? manifest, string detail)
    {
        if (manifest is null)
            TestImage.Create(9, 1, 100, "arm64", "s390x").AddTo(_source.Registry, "team/app", Failing);
        else
            _source.Registry.AddManifest("team/app", mediaType!, Encoding.UTF8.GetBytes(manifest), Failing);
        var report = await MirrorAsync(new(), platforms: "[linux/amd64]");
        Assert.That((report.Count(MirrorOutcome.Failed), report.Count(MirrorOutcome.Copied)), Is.EqualTo((1, Tags.Length - 1)));
        Assert.That(report.Results[1].Detail, Does.Contain(detail));
        Assert.That((await MirrorAsync(new(), platforms: "[linux/amd64]")).Count(MirrorOutcome.Skipped), Is.EqualTo(1), "named");
    }

    /// <summary>It was still being pushed, platform by platform, when the first run came.</summary>
    [Test]
    public async Task A_version_that_was_passed_is_named_by_each_run()
    {
        TestImage.Create(9, 1, 100, "arm64", "s390x").AddTo(_source.Registry, "team/app", Failing);
        await MirrorAsync(new(), platforms: "[linux/amd64]");
        TestImage.Create(1).AddTo(_source.Registry, "team/app", Failing);
        for (var run = 0; run < 2; run++)
        {
            var report = await MirrorAsync(new(), platforms: "[linux/amd64]");
            Assert.That(
                (report.Results.Single().Outcome, report.Results.Single().Detail, report.IsComplete),
                Is.EqualTo(
                    (
                        MirrorOutcome.Skipped,
                        $"the destination lacks {Failing} below its highest version 1.0.5: mode higher does not go back, "
                            + "mode semver does",
                        true
                    )
                )
            );
        }
    }

    [Test]
    public async Task A_tag_that_is_listed_but_not_found_holds_back_nothing()
    {
        Fail(RegistryFaults.Status(404, "MANIFEST_UNKNOWN", "manifest unknown"));
        var report = await MirrorAsync(new());
        Assert.That((report.Count(MirrorOutcome.Failed), report.Count(MirrorOutcome.Copied)), Is.EqualTo((1, Tags.Length - 1)));
        Assert.That((report.Results[1].Tag, report.IsComplete), Is.EqualTo((Failing, false)));
    }

    /// <summary>The content may be there next time.</summary>
    [Test]
    public async Task A_page_instead_of_a_manifest_holds_back_what_follows()
    {
        _source.Always(
            (request, _) => request.Method == "GET" && request.Path.Value!.EndsWith(DigestOf(Failing), StringComparison.Ordinal),
            RegistryFaults.WebPage
        );
        AssertLeft(await MirrorAsync(new()), MirrorOutcome.Failed, $"mode higher copies in ascending order, and {Failing} failed");
        await AssertCompletesAsync(Tags[1..]);
    }

    [Test]
    public async Task Shards_together_cover_everything_once()
    {
        var reports = new[] { await MirrorAsync(new() { Shard = new(0, 2) }), await MirrorAsync(new() { Shard = new(1, 2) }) };
        Assert.That(reports.Select(report => report.Count(MirrorOutcome.Copied)), Is.EquivalentTo(new[] { Tags.Length, 0 }));
    }

    /// <summary>The tag below is there, this one has the outcome, and those above are left.</summary>
    private void AssertLeft(MirrorReport report, MirrorOutcome outcome, string detail)
    {
        Assert.Multiple(() =>
        {
            Assert.That(report.IsComplete, Is.False);
            Assert.That(
                report.Results.Select(result => (result.Tag, result.Outcome)),
                Is.EqualTo(
                    ((string, MirrorOutcome)[])
                        [(Tags[0], MirrorOutcome.Copied), (Failing, outcome), .. Tags[2..].Select(tag => (tag, MirrorOutcome.Left))]
                )
            );
            Assert.That(report.Results.Skip(2).Select(result => result.Detail), Is.All.EqualTo(detail));
            Assert.That(WrittenTags(), Is.EqualTo(Tags[..1]));
        });
    }

    private async Task AssertCompletesAsync(IEnumerable<string> copied, int parallel = 4)
    {
        _source.RemoveFaults();
        var report = await MirrorAsync(new MirrorSettings { Parallel = parallel });
        Assert.That(
            report.Results.Select(result => (result.Tag, result.Outcome)),
            Is.EqualTo(copied.Select(tag => ((string?)tag, MirrorOutcome.Copied)))
        );
        Assert.That(WrittenTags(), Is.SupersetOf(Tags));
    }

    private void Fail(RegistryFault fault) => _source.Always((request, _) => IsManifestOf(request, Failing), fault);

    private string DigestOf(string tag) => _source.Registry.Repository("team/app").Tags[tag].ToString();

    private static bool IsManifestOf(HttpRequest request, string tag) =>
        request.Path.Value!.EndsWith($"/manifests/{tag}", StringComparison.Ordinal);

    private IEnumerable<string> WrittenTags() =>
        from request in _target.Received
        where request.Method == "PUT" && request.Path.Contains("/manifests/", StringComparison.Ordinal)
        let reference = request.Path[(request.Path.LastIndexOf('/') + 1)..]
        where !reference.Contains(':', StringComparison.Ordinal)
        select reference;

    private Task<MirrorReport> MirrorAsync(
        MirrorSettings settings,
        TimeProvider? time = null,
        string platforms = "[]",
        CancellationToken cancellationToken = default
    ) =>
        MirrorFiles.RunAsync(
            $$"""
            images:
              app:
                source: {{_source.Address}}/team/app
                destination: {{_target.Address}}/team/app
                mode: higher
                higher-from: 1.0.0
                platforms: {{platforms}}
            """,
            settings,
            time,
            cancellationToken
        );
}
