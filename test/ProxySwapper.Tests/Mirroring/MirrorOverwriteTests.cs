using System.Globalization;
using Microsoft.AspNetCore.Http;
using ProxySwapper.Mirroring;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Registries;
using ProxySwapper.Testing.Time;
using Kind = ProxySwapper.Registry.InMemory.InMemoryRegistryRequestKind;

namespace ProxySwapper.Tests.Mirroring;

/// <summary>Without replace-tag, a tag of the destination stays, whatever its registry does not support.</summary>
[TestFixture]
internal sealed class MirrorOverwriteTests
{
    private readonly TestImage _old = TestImage.Create(1, layers: 1);
    private FaultyRegistry _source = null!;
    private FaultyRegistry _target = null!;

    [SetUp]
    public async Task StartAsync()
    {
        (_source, _target) = (await FaultyRegistry.StartAsync(), await FaultyRegistry.StartAsync());
        TestImage.Create(2, layers: 1).AddTo(_source.Registry, "team/app", "1.0.0", "1.1.0");
        _old.AddTo(_target.Registry, "team/app", "1.1.0");
    }

    [TearDown]
    public async Task StopAsync()
    {
        await _source.DisposeAsync();
        await _target.DisposeAsync();
    }

    [TestCase("highest", 0)]
    [TestCase("semver", 1)]
    [TestCase("all", 1)]
    public async Task A_list_that_is_not_found_is_not_taken_for_an_empty_one(string mode, int copied)
    {
        Fail(Kind.Tags, HttpMethods.Get, 404, "NOT_FOUND");
        await AssertStaysAsync(mode, copied);
    }

    [Test]
    public async Task Versions_that_are_not_listed_are_not_taken_for_none()
    {
        Fail(Kind.Tags, HttpMethods.Get, 404, "NOT_FOUND");
        var report = await MirrorAsync("higher, higher-from: 1.0.0");
        Assert.That(report.Results.Single().Detail, Does.Contain("not found (HTTP 404): NOT_FOUND"));
        Assert.That(_target.Received.Select(request => request.Method), Has.None.EqualTo("PUT"));
    }

    [TestCase("NOT_FOUND", "the destination's versions are unknown: GET {0}/team/app: not found (HTTP 404): NOT_FOUND", false)]
    [TestCase("NAME_UNKNOWN", "the destination has no version yet", true)]
    public async Task Without_higher_from_a_list_that_is_not_found_is_named(string code, string detail, bool isComplete)
    {
        Fail(Kind.Tags, HttpMethods.Get, 404, code);
        var report = await MirrorAsync("higher");
        var result = report.Results.Single();
        Assert.That(report.IsComplete, Is.EqualTo(isComplete));
        Assert.That(result.Outcome, Is.EqualTo(MirrorOutcome.Skipped));
        Assert.That(
            result.Detail,
            Does.StartWith(string.Format(CultureInfo.InvariantCulture, detail, _target.Address)).And.Contain("set higher-from to start")
        );
    }

    [TestCase("team/new", "NOT_FOUND")]
    [TestCase("team/new", "NAME_UNKNOWN")]
    public async Task A_repository_that_is_not_found_is_filled(string repository, string code)
    {
        Fail(Kind.Tags, HttpMethods.Get, 404, code);
        var report = await MirrorAsync("higher, higher-from: 1.0.0", repository);
        Assert.That((report.Count(MirrorOutcome.Copied), report.IsComplete), Is.EqualTo((2, true)));
    }

    [TestCase("highest", 0)]
    [TestCase("semver", 1)]
    [TestCase("all", 1)]
    public async Task A_HEAD_with_the_response_404_does_not_prove_that_a_tag_is_missing(string mode, int copied)
    {
        Fail(Kind.Tags, HttpMethods.Get, 405, "UNSUPPORTED");
        Fail(Kind.Manifest, HttpMethods.Head, 404, "UNKNOWN");
        await AssertStaysAsync(mode, copied);
    }

    [Test]
    public async Task A_tag_that_the_list_lacks_is_not_replaced()
    {
        _target.Always(
            HttpMethod.Get,
            Kind.Tags,
            (context, _) => context.Response.Body.WriteAsync("""{"name":"team/app","tags":[]}"""u8.ToArray()).AsTask()
        );
        var report = await MirrorAsync("all");
        Assert.That((report.Count(MirrorOutcome.Copied), report.Count(MirrorOutcome.Failed)), Is.EqualTo((1, 1)));
        Assert.That(report.Results.Single(result => result.Tag == "1.1.0").Detail, Does.Contain("must not be overwritten"));
        AssertUnchanged();
    }

    [TestCase("highest", 200)]
    [TestCase("semver", 403)]
    [TestCase("all", 403)]
    [TestCase("all", 200)]
    public async Task A_tag_that_the_destination_cannot_read_stays_and_is_an_error(string mode, int list)
    {
        if (list == 403)
            Fail(Kind.Tags, HttpMethods.Get, 403, "DENIED");
        else
            _target.Always(
                HttpMethod.Get,
                Kind.Tags,
                (context, _) => context.Response.Body.WriteAsync("""{"name":"team/app","tags":[]}"""u8.ToArray()).AsTask()
            );
        foreach (var method in new[] { HttpMethods.Head, HttpMethods.Get })
            _target.Always(
                (request, _) => request.Method == method && request.Path.Value!.EndsWith("/1.1.0", StringComparison.Ordinal),
                RegistryFaults.Status(500, "UNKNOWN", "no")
            );
        var report = await MirrorAsync(mode);
        Assert.That(report.IsComplete, Is.False);
        Assert.That(
            report.Results.Single(result => result.Outcome == MirrorOutcome.Failed).Detail,
            Is.EqualTo($"GET {_target.Address}/team/app:1.1.0: internal server error (HTTP 500): UNKNOWN: no")
        );
        AssertUnchanged();
    }

    /// <summary>Without its signatures, a tag would be up to date for all later runs.</summary>
    [Test]
    public async Task A_tag_whose_signature_could_not_be_copied_is_copied_by_the_next_run()
    {
        var (tag, signature) = AddSignature();
        _source.Always(
            (request, _) => request.Path.Value!.EndsWith(signature.Top.Digest.ToString(), StringComparison.Ordinal),
            RegistryFaults.Status(404)
        );
        var first = await MirrorAsync("semver, referrers: true");
        Assert.That((first.Count(MirrorOutcome.Copied), first.Count(MirrorOutcome.Failed)), Is.EqualTo((0, 1)));
        _source.RemoveFaults();
        var second = await MirrorAsync("semver, referrers: true");
        Assert.That((second.Count(MirrorOutcome.Copied), second.IsComplete), Is.EqualTo((1, true)));
        Assert.That(_target.Registry.Repository("team/app").Tags[tag], Is.EqualTo(signature.Top.Digest));
    }

    [Test]
    public async Task A_signature_that_differs_stays_and_is_named([Values] bool isHeadTrusted)
    {
        var (tag, _) = AddSignature();
        _old.AddTo(_target.Registry, "team/app", tag);
        if (!isHeadTrusted)
            Fail(Kind.Manifest, HttpMethods.Head, 404, "UNKNOWN");
        var report = await MirrorAsync("semver, referrers: true");
        Assert.That(
            report.Results.Single(result => result.Outcome == MirrorOutcome.Copied).Detail,
            Is.EqualTo($"{tag} of the destination differs and stays, since replace-tag is not set")
        );
        Assert.That(_target.Registry.Repository("team/app").Tags[tag], Is.EqualTo(_old.Top.Digest));
    }

    private (string Tag, TestImage Signature) AddSignature()
    {
        var signed = _source.Registry.Repository("team/app").Tags["1.0.0"];
        var (tag, signature) = ($"sha256-{signed.Hex}.sig", TestImage.Create(3, layers: 1));
        signature.AddTo(_source.Registry, "team/app", tag);
        return (tag, signature);
    }

    private void Fail(Kind failing, string method, int status, string code) =>
        _target.Always((request, kind) => kind == failing && request.Method == method, RegistryFaults.Status(status, code, "no"));

    private async Task AssertStaysAsync(string mode, int copied)
    {
        var report = await MirrorAsync(mode);
        Assert.That(
            (report.Count(MirrorOutcome.UpToDate), report.Count(MirrorOutcome.Copied), report.IsComplete),
            Is.EqualTo((1, copied, true)),
            string.Join('\n', report.Results)
        );
        AssertUnchanged();
    }

    private void AssertUnchanged() =>
        Assert.That(_target.Registry.Repository("team/app").Tags["1.1.0"], Is.EqualTo(_old.Top.Digest), "the tag was replaced");

    private Task<MirrorReport> MirrorAsync(string mode, string destination = "team/app") =>
        MirrorFiles.RunAsync(
            $"images: {{app: {{source: {_source.Address}/team/app, destination: {_target.Address}/{destination}, mode: {mode}}}}}"
                + $"\nregistries: [{{host: \"{_source.Address}\", plainHttp: true}}, {{host: \"{_target.Address}\", plainHttp: true}}]",
            // Pauses between retries take no time; timeouts are longer, except for that of a probe for TLS, which plainHttp avoids.
            time: new SkippingTimeProvider(TimeSpan.FromSeconds(20))
        );
}
