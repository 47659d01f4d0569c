using Microsoft.Extensions.Logging.Abstractions;
using ProxySwapper.Mirroring;
using ProxySwapper.Registries;
using ProxySwapper.Registry;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Registries;
using Kind = ProxySwapper.Registry.InMemory.InMemoryRegistryRequestKind;

namespace ProxySwapper.Tests.Mirroring;

/// <summary>The requests of a run.</summary>
[TestFixture]
internal sealed class MirrorRequestTests
{
    private const int Tags = 2500;
    private const int Pages = 3;
    private FaultyRegistry _source = null!;
    private FaultyRegistry _target = null!;

    [SetUp]
    public async Task StartAsync()
    {
        (_source, _target) = (await FaultyRegistry.StartAsync(), await FaultyRegistry.StartAsync());
        var image = TestImage.Create(1);
        foreach (var registry in new[] { _source, _target })
            image.AddTo(registry.Registry, "team/app", [.. Enumerable.Range(0, Tags).Select(index => $"1.0.{index}")]);
    }

    [TearDown]
    public async Task StopAsync()
    {
        await _source.DisposeAsync();
        await _target.DisposeAsync();
    }

    [TestCase("highest", 1, 1)]
    [TestCase("higher", Pages, 0)]
    [TestCase("semver", Pages, Tags)]
    [TestCase("all", Pages, Tags)]
    public async Task A_run_with_nothing_to_do_lists_tags_and_requests_no_manifest_from_the_source(string mode, int atTarget, int upToDate)
    {
        var report = await MirrorAsync(mode);
        Assert.That(
            (report.Count(MirrorOutcome.UpToDate), report.Count(MirrorOutcome.Copied), report.IsComplete),
            Is.EqualTo((upToDate, 0, true))
        );
        Assert.That(_source.Received.Select(request => request.Path), Is.EqualTo(Enumerable.Repeat("/v2/team/app/tags/list", Pages)));
        Assert.That(_target.Received, Has.Count.EqualTo(atTarget));
    }

    [Test]
    public async Task Replacing_tags_compares_digests_with_a_HEAD_on_either_side()
    {
        Assert.That((await MirrorAsync("all, replace-tag: true")).Count(MirrorOutcome.UpToDate), Is.EqualTo(Tags));
        foreach (var registry in new[] { _source, _target })
            Assert.That(
                registry.Received.CountBy(request => request.Method),
                Is.EquivalentTo(new Dictionary<string, int> { ["GET"] = Pages, ["HEAD"] = Tags })
            );
    }

    [Test]
    public async Task Two_images_of_one_source_list_it_once()
    {
        await MirrorAsync("all", "team/app", "team/other", "highest");
        Assert.That(_source.Received.Count(request => request.Path.EndsWith("/tags/list", StringComparison.Ordinal)), Is.EqualTo(Pages));
    }

    /// <summary>The lists of all sources would fill the memory.</summary>
    [Test]
    public async Task The_list_of_a_source_that_only_one_image_has_is_not_kept()
    {
        using var log = new CapturedLog();
        var file = MirrorFiles.Read(
            $"images: {{app: {{source: {_source.Address}/team/app, destination: {_target.Address}/team/app, mode: highest}}}}"
        );
        using var access = RegistryServices.Create(file.Registries, EnvironmentVariables.None, TimeProvider.System, log);
        var planner = new MirrorPlanner(access.Clients, access.Credentials, MirrorShard.All, new HashSet<string>(), NullLogger.Instance);
        for (var i = 0; i < 2; i++)
            await planner.PlanAsync(file.Images[0], default);
        Assert.That(_source.Received, Has.Count.EqualTo(2 * Pages));
    }

    [Test]
    public async Task The_debug_log_tells_why_a_tag_is_left_out()
    {
        _source.Always(
            HttpMethod.Get,
            Kind.Tags,
            (context, _) => context.Response.Body.WriteAsync("""{"name":"team/app","tags":["1.0.0","-x","latest"]}"""u8.ToArray()).AsTask()
        );
        using var log = new CapturedLog();
        var name = $"{_source.Address}/team/app";
        var file = MirrorFiles.Read($"images: {{app: {{source: {name}, destination: {_target.Address}/team/app, mode: semver}}}}");
        using var access = RegistryServices.Create(file.Registries, EnvironmentVariables.None, TimeProvider.System, log);
        var planner = new MirrorPlanner(access.Clients, access.Credentials, MirrorShard.All, new HashSet<string>(), log);
        await planner.PlanAsync(file.Images[0], default);
        Assert.That(log.Text, Does.Contain($"app: '-x' of {name} left out: it is not a valid tag"));
        Assert.That(log.Text, Does.Contain($"app: {name}:latest left out by mode semver and the entry's filters"));
        Assert.That(log.Text, Does.Not.Contain($"{name}:-x"));
    }

    [TestCase("semver", Tags)]
    [TestCase("all", Tags)]
    [TestCase("higher", 0)]
    public async Task A_destination_that_does_not_list_tags_is_queried_for_each_if_the_mode_allows_it(string mode, int upToDate)
    {
        _target.Always(HttpMethod.Get, Kind.Tags, RegistryFaults.Status(403, "DENIED", "push only"));
        var report = await MirrorAsync(mode);
        Assert.That((report.Count(MirrorOutcome.UpToDate), report.IsComplete), Is.EqualTo((upToDate, upToDate > 0)));
        Assert.That(_target.Received.Count(request => request.Method == "HEAD"), Is.EqualTo(upToDate));
    }

    private Task<MirrorReport> MirrorAsync(string mode) =>
        MirrorFiles.RunAsync(
            $"images: {{app: {{source: {_source.Address}/team/app, destination: {_target.Address}/team/app, mode: {mode}}}}}"
        );

    private Task<MirrorReport> MirrorAsync(string mode, string destination, string otherDestination, string otherMode) =>
        MirrorFiles.RunAsync(
            $$"""
            images:
              one: {source: {{_source.Address}}/team/app, destination: {{_target.Address}}/{{destination}}, mode: {{mode}}}
              two: {source: {{_source.Address}}/team/app, destination: {{_target.Address}}/{{otherDestination}}, mode: {{otherMode}}}
            """
        );
}
