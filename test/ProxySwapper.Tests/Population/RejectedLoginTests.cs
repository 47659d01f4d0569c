using Microsoft.AspNetCore.Http;
using ProxySwapper.Configuration;
using ProxySwapper.Population.Downstream;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Rules;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Population;

/// <summary>A downstream registry that accepts our login and later rejects it, or that has never accepted it.</summary>
[TestFixture]
internal sealed class RejectedLoginTests
{
    private InMemoryRegistry _upstream = null!;
    private InMemoryRegistry _downstream = null!;
    private volatile bool _isClosed;
    private volatile bool _deniesUploads;
    private volatile string _open = "";

    [SetUp]
    public async Task Start()
    {
        (_isClosed, _deniesUploads, _open) = (false, false, "");
        _upstream = await InMemoryRegistry.StartAsync();
        _downstream = await InMemoryRegistry.StartAsync(
            new InMemoryRegistryOptions
            {
                Interceptor = (context, registry) =>
                {
                    var isOpen = _open.Length > 0 && context.Request.Path.StartsWithSegments($"/v2/{_open}", StringComparison.Ordinal);
                    var isUpload = _deniesUploads && HttpMethods.IsPost(context.Request.Method);
                    if (!isUpload && (!_isClosed || isOpen || context.Request.Path == "/v2/"))
                        return registry(context);
                    context.Response.StatusCode = StatusCodes.Status403Forbidden;
                    return Task.CompletedTask;
                },
            }
        );
        TestImage.Create(312, 2, 1000).AddTo(_upstream, "team/app", "1");
    }

    [TearDown]
    public async Task Stop()
    {
        await _upstream.DisposeAsync();
        await _downstream.DisposeAsync();
    }

    [TestCase("", PopulatePolicy.Delayed)]
    [TestCase("", PopulatePolicy.Immediate)]
    [TestCase("/mirror", PopulatePolicy.Delayed)]
    [TestCase("/mirror", PopulatePolicy.Immediate)]
    public async Task A_copy_that_is_denied_leaves_the_next_images_unchanged_after_three_checks_of_our_access(string path, object policy)
    {
        await using var scene = await PopulationScene.StartAsync(
            new ProxySwapperOptions
            {
                Rules = [new() { Match = _upstream.Address, Target = _downstream.Address + path }],
                Populate = new() { Policy = (PopulatePolicy)policy },
                ProxyHealth = new() { Interval = TimeSpan.FromMilliseconds(500) },
                ShutdownGracePeriod = TimeSpan.FromSeconds(1),
            }
        );
        var health = scene.Get<DownstreamHealth>();
        await TestWait.UntilAsync(() => health.Snapshot().SingleOrDefault()?.CheckedAt is not null, "the first check");
        _isClosed = true;
        var image = $"{_upstream.Address}/team/app:1";
        Assert.That((await scene.AdmitAsync([image])).Images[0].Decision.IsRewritten, Is.True);
        await TestWait.UntilAsync(() => health.IsFallingBack, "three rejections");
        var decision = (await scene.AdmitAsync([image])).Images[0].Decision;
        Assert.That((decision.IsRewritten, decision.Reason), Is.EqualTo((false, DecisionReason.DownstreamFailing)));
        Assert.That(decision.Warning, Does.Contain($"{_downstream.Address}{path} is failing: it rejects our login"));
        _isClosed = false;
        await TestWait.UntilAsync(async () => (await scene.AdmitAsync([image])).Images[0].Decision.IsRewritten, "the recovery");
    }

    /// <summary>Such as a proxy-cache project of Harbor, which nobody can push to.</summary>
    [Test]
    public async Task A_cache_that_takes_no_uploads_is_warmed_and_does_not_count_as_failing()
    {
        _deniesUploads = true;
        TestImage.Create(312, 2, 1000).AddTo(_downstream, "hub/team/app", "1");
        var cache = System.Text.RegularExpressions.Regex.Escape(_downstream.Address);
        await using var scene = await PopulationScene.StartAsync(
            new ProxySwapperOptions
            {
                Rules = [new() { Match = _upstream.Address, Target = $"{_downstream.Address}/hub" }],
                Populate = new()
                {
                    Policy = PopulatePolicy.Delayed,
                    ProxyCaches =
                    [
                        new()
                        {
                            RegexUrl = $"^{cache}/(hub)/(.+):([^:]+)$",
                            ReplacementOci = $"http://{_downstream.Address}/v2/$1/$2/manifests/$3",
                        },
                    ],
                },
                ProxyHealth = new() { Interval = TimeSpan.FromMilliseconds(100) },
                ShutdownGracePeriod = TimeSpan.FromSeconds(1),
            }
        );
        var health = scene.Get<DownstreamHealth>();
        await TestWait.UntilAsync(
            () => health.Snapshot().SingleOrDefault()?.Access is not (null or DownstreamAccess.Unknown),
            "the first check of our access"
        );
        Assert.That(health.Snapshot().Single().Access, Is.EqualTo(DownstreamAccess.Granted));
        Assert.That((await scene.AdmitAsync([$"{_upstream.Address}/team/app:1"])).Images[0].Decision.IsRewritten, Is.True);
    }

    [Test]
    public async Task A_login_with_rights_for_one_repository_swaps_its_images_once_one_of_them_was_requested()
    {
        (_isClosed, _open) = (true, "mirror/team/app");
        await using var scene = await PopulationScene.StartAsync(
            new ProxySwapperOptions
            {
                Rules = [new() { Match = _upstream.Address, Target = $"{_downstream.Address}/mirror" }],
                Populate = new() { Policy = PopulatePolicy.Delayed },
                ProxyHealth = new() { Interval = TimeSpan.FromMilliseconds(100) },
                ShutdownGracePeriod = TimeSpan.FromSeconds(1),
            }
        );
        await TestWait.UntilAsync(() => scene.Get<DownstreamHealth>().IsFallingBack, "three rejections of what no image has");
        var image = $"{_upstream.Address}/team/app:1";
        Assert.That((await scene.AdmitAsync([image])).Images[0].Decision.IsRewritten, Is.False);
        await TestWait.UntilAsync(async () => (await scene.AdmitAsync([image])).Images[0].Decision.IsRewritten, "the swap");
        await TestWait.UntilAsync(() => _downstream.Repository("mirror/team/app").Find("1") is not null, "the copy");
    }
}
