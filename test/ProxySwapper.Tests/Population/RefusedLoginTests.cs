using Microsoft.AspNetCore.Http;
using ProxySwapper.Configuration;
using ProxySwapper.Population.Downstream;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Rules;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Population;

/// <summary>A downstream registry that lets us in and then refuses our login, or that has never let us in.</summary>
[TestFixture]
internal sealed class RefusedLoginTests
{
    private InMemoryRegistry _upstream = null!;
    private InMemoryRegistry _downstream = null!;
    private volatile bool _isClosed;

    [SetUp]
    public async Task Start()
    {
        _isClosed = false;
        _upstream = await InMemoryRegistry.StartAsync();
        _downstream = await InMemoryRegistry.StartAsync(
            new InMemoryRegistryOptions
            {
                Interceptor = (context, registry) =>
                {
                    if (!_isClosed || context.Request.Path == "/v2/")
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
    public async Task A_copy_that_is_refused_leaves_the_next_images_unchanged_after_three_checks_of_our_access(string path, object policy)
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
        await TestWait.UntilAsync(() => health.Snapshot().SingleOrDefault()?.LookedAt is not null, "the first check");
        _isClosed = true;
        var image = $"{_upstream.Address}/team/app:1";
        Assert.That((await scene.AdmitAsync([image])).Images[0].Decision.IsRewritten, Is.True);
        await TestWait.UntilAsync(() => health.IsFallingBack, "three refusals");
        var decision = (await scene.AdmitAsync([image])).Images[0].Decision;
        Assert.That((decision.IsRewritten, decision.Reason), Is.EqualTo((false, DecisionReason.DownstreamFailing)));
        Assert.That(decision.Warning, Does.Contain($"{_downstream.Address}{path} is failing: it rejects our login"));
        _isClosed = false;
        await TestWait.UntilAsync(async () => (await scene.AdmitAsync([image])).Images[0].Decision.IsRewritten, "the recovery");
    }
}
