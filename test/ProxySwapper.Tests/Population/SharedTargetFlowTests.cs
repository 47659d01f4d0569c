using ProxySwapper.Configuration;
using ProxySwapper.Population.Queue;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Population;

/// <summary>If rules let two registries share targets, only the registry that a tag came from can move it.</summary>
[TestFixture]
internal sealed class SharedTargetFlowTests
{
    private InMemoryRegistry _good = null!;
    private InMemoryRegistry _evil = null!;
    private InMemoryRegistry _downstream = null!;
    private int _rejectedRecords;

    [SetUp]
    public async Task Start()
    {
        _good = await InMemoryRegistry.StartAsync();
        _evil = await InMemoryRegistry.StartAsync();
        _rejectedRecords = 0;
        _downstream = await InMemoryRegistry.StartAsync(
            new InMemoryRegistryOptions
            {
                Interceptor = (context, next) =>
                {
                    var isRecord = context.Request.Path.Value!.Contains("/manifests/proxyswapper-source-", StringComparison.Ordinal);
                    if (context.Request.Method != "PUT" || !isRecord || Interlocked.Decrement(ref _rejectedRecords) < 0)
                        return next(context);
                    context.Response.StatusCode = 403;
                    return Task.CompletedTask;
                },
            }
        );
    }

    [TearDown]
    public async Task Stop()
    {
        await _good.DisposeAsync();
        await _evil.DisposeAsync();
        await _downstream.DisposeAsync();
    }

    [Test]
    public async Task Another_registry_cannot_replace_an_image_not_even_after_a_restart()
    {
        var (first, second, evil) = (TestImage.Create(1), TestImage.Create(2), TestImage.Create(3));
        first.AddTo(_good, "team/app", "1");
        evil.AddTo(_evil, "team/app", "1");
        // The content of the other registry proves nothing: anyone can copy a public image.
        first.AddTo(_evil, "team/app", "same");
        await using (var scene = await StartAsync())
            await EnsureDownstreamAsync(scene, _good);
        Assert.That(Downstream, Is.EqualTo(first.Top.Digest));

        var log = new CapturedLog();
        await using (var scene = await StartAsync(log))
        {
            await scene.AdmitAsync([$"{_evil.Address}/team/app:1"], pullPolicy: "Always");
            await TestWait.UntilAsync(() => scene.Get<FailedImages>().Snapshot().Count == 1);
            Assert.That(
                scene.Get<FailedImages>().Snapshot()[0].Fault,
                Does.Contain($"points at {first.Top.Digest}").And.Contain($"{_evil.Address}/team/app:1")
            );
            Assert.That(Downstream, Is.EqualTo(first.Top.Digest));
        }
        second.AddTo(_good, "team/app", "1");
        await using (var scene = await StartAsync())
            await EnsureDownstreamAsync(scene, _good);
        Assert.That(Downstream, Is.EqualTo(second.Top.Digest), "its own source may move it");
    }

    [TestCase("[^/]+/(library/nginx:1.*)", "library/nginx", "1")]
    [TestCase("[^/]+/(?:team|[a-z]+)/(.*)", "team/app", "1")]
    public async Task Sources_that_meet_by_a_regular_expression_do_not_replace_each_other(string regex, string repository, string tag)
    {
        var (good, evil) = (TestImage.Create(1), TestImage.Create(2));
        good.AddTo(_good, repository, tag);
        evil.AddTo(_evil, repository, tag);
        await using var scene = await StartAsync(new RuleOptions { MatchRegex = regex, Replace = $"{_downstream.Address}/mirror/$1" });
        await scene.AdmitAsync([$"{_good.Address}/{repository}:{tag}"], pullPolicy: "Always");
        await TestWait.UntilAsync(() => scene.Queue.Known.Count == 1);
        await scene.AdmitAsync([$"{_evil.Address}/{repository}:{tag}"], pullPolicy: "Always");
        await TestWait.UntilAsync(() => scene.Get<FailedImages>().Snapshot().Count == 1);
        Assert.That(
            _downstream.Repositories.Values.SelectMany(one => one.Tags).Where(one => one.Key == tag).Select(one => one.Value),
            Is.EqualTo(new[] { good.Top.Digest })
        );
    }

    [Test]
    public async Task A_source_is_recorded_before_its_tag_so_that_a_copy_that_failed_in_between_is_repeated()
    {
        var (first, second) = (TestImage.Create(1), TestImage.Create(2));
        first.AddTo(_good, "team/app", "1");
        _rejectedRecords = 1;
        await using var scene = await StartAsync();
        await scene.AdmitAsync([$"{_good.Address}/team/app:1"], pullPolicy: "Always");
        await TestWait.UntilAsync(() => scene.Get<FailedImages>().Snapshot().Count == 1);
        Assert.That(Downstream, Is.Null);
        await EnsureDownstreamAsync(scene, _good);
        second.AddTo(_good, "team/app", "1");
        await scene.AdmitAsync([$"{_good.Address}/team/app:1"], pullPolicy: "Always");
        await TestWait.UntilAsync(() => Downstream == second.Top.Digest);
    }

    [Test]
    public async Task A_tag_whose_source_is_not_recorded_stays()
    {
        var (old, young) = (TestImage.Create(1), TestImage.Create(2));
        old.AddTo(_downstream, "mirror/team/app", "1");
        young.AddTo(_good, "team/app", "1");
        await using var scene = await StartAsync();
        await scene.AdmitAsync([$"{_good.Address}/team/app:1"], pullPolicy: "Always");
        await TestWait.UntilAsync(() => scene.Get<FailedImages>().Snapshot().Count == 1);
        Assert.That(Downstream, Is.EqualTo(old.Top.Digest));
    }

    [Test]
    public async Task An_image_cannot_pass_for_the_record_of_a_source()
    {
        TestImage.Create(3).AddTo(_evil, "team/app", "proxyswapper-source-0123456789abcdef");
        await using var scene = await StartAsync();
        await scene.AdmitAsync([$"{_evil.Address}/team/app:proxyswapper-source-0123456789abcdef"]);
        await TestWait.UntilAsync(() => scene.Get<FailedImages>().Snapshot().Count == 1);
        Assert.That(
            scene.Get<FailedImages>().Snapshot()[0].Fault,
            Does.Contain("tags that begin with 'proxyswapper-source-' are reserved")
        );
        Assert.That(_downstream.Repository("mirror/team/app").Tags, Is.Empty);
    }

    [Test]
    public async Task Where_no_target_is_shared_nothing_is_recorded()
    {
        TestImage.Create(1).AddTo(_good, "team/app", "1");
        await using var scene = await StartAsync(allow: false);
        await EnsureDownstreamAsync(scene, _good);
        Assert.That(_downstream.Repository("mirror/team/app").Tags.Keys, Is.EqualTo(["1"]));
    }

    private ProxySwapper.Registry.Digest? Downstream => _downstream.Repository("mirror/team/app").Find("1")?.Digest;

    private static async Task EnsureDownstreamAsync(PopulationScene scene, InMemoryRegistry source)
    {
        await scene.AdmitAsync([$"{source.Address}/team/app:1"], pullPolicy: "Always");
        await TestWait.UntilAsync(() => scene.Queue.Known.Count == 1);
    }

    private Task<PopulationScene> StartAsync(CapturedLog? log = null, bool allow = true) =>
        StartAsync(
            log,
            new()
            {
                Match = _good.Address,
                Target = $"{_downstream.Address}/mirror",
                AllowSharedTarget = allow,
            },
            new() { Match = _evil.Address, Target = $"{_downstream.Address}/mirror" }
        );

    private static Task<PopulationScene> StartAsync(params RuleOptions[] rules) => StartAsync(null, rules);

    private static Task<PopulationScene> StartAsync(CapturedLog? log, params RuleOptions[] rules) =>
        PopulationScene.StartAsync(
            new ProxySwapperOptions
            {
                Rules = rules,
                Populate = new() { Policy = PopulatePolicy.Delayed },
            },
            log
        );
}
