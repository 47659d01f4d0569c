using System.Diagnostics;
using ProxySwapper.Configuration;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Registry.Oci;
using ProxySwapper.Rules;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Registries;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Population;

/// <summary>The policies of population, with two in-memory registries.</summary>
[TestFixture]
internal sealed class PopulationObserverTests
{
    private readonly TestImage _image = TestImage.Create(31, 2, 1000, "amd64", "arm64");
    private readonly RequestHold _hold = new();
    private int? _errorStatus;
    private InMemoryRegistry _upstream = null!;
    private InMemoryRegistry _downstream = null!;

    [SetUp]
    public async Task Start()
    {
        _errorStatus = null;
        _upstream = await _hold.StartRegistryAsync();
        _downstream = await InMemoryRegistry.StartAsync(
            new InMemoryRegistryOptions
            {
                Interceptor = (context, next) =>
                {
                    if (_errorStatus is not { } status)
                        return next(context);
                    context.Response.StatusCode = status;
                    return Task.CompletedTask;
                },
            }
        );
        _image.AddTo(_upstream, "team/app", "1");
    }

    [TearDown]
    public async Task Stop()
    {
        _hold.End();
        await _upstream.DisposeAsync();
        await _downstream.DisposeAsync();
    }

    [Test]
    public async Task Delayed_responds_first_and_copies_afterwards()
    {
        await using var scene = await StartAsync();
        _hold.Begin();
        var decision = await scene.AdmitAsync([Source]);
        Assert.That((decision.Images[0].Decision.IsRewritten, Downstream), Is.EqualTo((true, (Manifest?)null)));
        _hold.End();
        await TestWait.UntilAsync(() => Downstream?.Digest == _image.Top.Digest);
    }

    [Test]
    public async Task Many_pods_with_the_same_image_copy_it_once()
    {
        await using var scene = await StartAsync();
        await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => scene.AdmitAsync([Source, Source])));
        await TestWait.UntilAsync(() => scene.Queue.Known.Count == 1);
        await scene.AdmitAsync([Source]);
        Assert.That(
            (_downstream.Count(HttpMethod.Put, InMemoryRegistryRequestKind.Manifest), scene.Queue.WaitingCount + scene.Queue.RunningCount),
            Is.EqualTo((3, 0)),
            "two platforms and the index"
        );
    }

    [Test]
    public async Task A_tag_that_moved_is_copied_again_when_the_pod_says_always()
    {
        await using var scene = await StartAsync();
        await scene.AdmitAsync([Source]);
        await TestWait.UntilAsync(() => scene.Queue.Known.Count == 1);
        var newer = TestImage.Create(32);
        newer.AddTo(_upstream, "team/app", "1");
        await scene.AdmitAsync([Source], pullPolicy: "IfNotPresent");
        Assert.That(scene.Queue.WaitingCount + scene.Queue.RunningCount, Is.Zero);
        await scene.AdmitAsync([Source], pullPolicy: "Always");
        await TestWait.UntilAsync(() => Downstream?.Digest == newer.Top.Digest);
    }

    [Test]
    public async Task Immediate_waits_until_the_image_is_there()
    {
        await using var scene = await StartAsync(PopulatePolicy.Immediate);
        await scene.AdmitAsync([Source]);
        Assert.That(Downstream?.Digest, Is.EqualTo(_image.Top.Digest));
    }

    [Test]
    public async Task Immediate_responds_at_its_deadline_and_the_copy_continues()
    {
        await using var scene = await StartAsync(PopulatePolicy.Immediate, deadline: TimeSpan.FromMilliseconds(100));
        _hold.Begin();
        var decision = await scene.AdmitAsync([Source]);
        Assert.That((decision.Images[0].Decision.IsRewritten, Downstream), Is.EqualTo((true, (Manifest?)null)));
        _hold.End();
        await TestWait.UntilAsync(() => Downstream?.Digest == _image.Top.Digest);
    }

    [Test]
    public async Task Exists_leaves_missing_images_unchanged_and_copies_them_for_the_next_time()
    {
        await using var scene = await StartAsync(swap: SwapPolicy.Exists);
        var first = await scene.AdmitAsync([Source]);
        await TestWait.UntilAsync(() => scene.Queue.Known.Count == 1);
        _downstream.ResetCounts();
        var second = await scene.AdmitAsync([Source]);
        Assert.That(
            (first.Images[0].Decision.Reason, second.Images[0].Decision.Reason, _downstream.Requests),
            Is.EqualTo((DecisionReason.NotDownstream, DecisionReason.Rewritten, 0))
        );
    }

    [Test]
    public async Task Exists_checks_an_existing_image_once_and_remembers_it()
    {
        _image.AddTo(_downstream, "mirror/team/app", "1");
        await using var scene = await StartAsync(PopulatePolicy.None, SwapPolicy.Exists);
        var decisions = new List<DecisionReason>();
        for (var i = 0; i < 3; i++)
            decisions.Add((await scene.AdmitAsync([Source])).Images[0].Decision.Reason);
        Assert.That(
            (decisions.Distinct().Single(), _downstream.Count(HttpMethod.Head, InMemoryRegistryRequestKind.Manifest)),
            Is.EqualTo((DecisionReason.Rewritten, 1))
        );
    }

    [Test]
    public async Task Exists_and_immediate_rewrite_images_that_were_copied_in_time()
    {
        await using var scene = await StartAsync(PopulatePolicy.Immediate, SwapPolicy.Exists);
        Assert.That((await scene.AdmitAsync([Source])).Images[0].Decision.Reason, Is.EqualTo(DecisionReason.Rewritten));
    }

    [Test]
    public async Task With_exists_a_failing_downstream_leaves_images_unchanged_with_a_warning()
    {
        await using var scene = await StartAsync(swap: SwapPolicy.Exists);
        _errorStatus = 500;
        var decision = (await scene.AdmitAsync([Source])).Images[0].Decision;
        Assert.That((decision.IsRewritten, decision.Reason), Is.EqualTo((false, DecisionReason.DownstreamFailing)));
        Assert.That(decision.Warning, Does.Contain(_downstream.Address));
    }

    [Test]
    public async Task A_dry_run_copies_nothing_and_waits_for_nothing()
    {
        foreach (var policy in new[] { PopulatePolicy.Delayed, PopulatePolicy.Immediate })
        {
            await using var scene = await StartAsync(policy);
            await scene.AdmitAsync([Source], isDryRun: true);
            Assert.That((scene.Queue.WaitingCount + scene.Queue.RunningCount, Downstream), Is.EqualTo((0, (Manifest?)null)));
        }
    }

    [Test]
    public async Task None_copies_nothing()
    {
        await using var scene = await StartAsync(PopulatePolicy.None);
        await scene.AdmitAsync([Source]);
        Assert.That(scene.Queue.WaitingCount + scene.Queue.RunningCount, Is.Zero);
    }

    [Test]
    public async Task After_many_429_responses_every_image_is_copied_once()
    {
        for (var i = 0; i < 20; i++)
            TestImage.Create(100 + i).AddTo(_upstream, $"team/app{i}", "1");
        _errorStatus = 429;
        await using var scene = await StartAsync();
        await scene.AdmitAsync([.. Enumerable.Range(0, 20).Select(i => $"{_upstream.Address}/team/app{i}:1")]);
        await TestWait.UntilAsync(() => _downstream.Requests > 0);
        _errorStatus = null;
        await TestWait.UntilAsync(() => scene.Queue.Known.Count == 20);
        Assert.That(_downstream.Count(HttpMethod.Put, InMemoryRegistryRequestKind.Manifest), Is.EqualTo(20));
    }

    [Test]
    public async Task The_span_of_a_copy_is_linked_to_the_span_of_the_admission_that_caused_it()
    {
        var copies = new List<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "ProxySwapper",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = activity =>
            {
                lock (copies)
                    copies.Add(activity);
            },
        };
        ActivitySource.AddActivityListener(listener);
        var cause = new ActivityContext(ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom(), ActivityTraceFlags.Recorded);
        await using var scene = await StartAsync();
        await scene.AdmitAsync([Source], trace: cause);
        await TestWait.UntilAsync(() => scene.Queue.Known.Count == 1);
        await TestWait.UntilAsync(() =>
        {
            lock (copies)
                return copies.Any(activity => activity.OperationName == "populate" && activity.Links.Any(link => link.Context == cause));
        });
    }

    private string Source => $"{_upstream.Address}/team/app:1";

    private Manifest? Downstream => _downstream.Repository("mirror/team/app").Find("1");

    private Task<PopulationScene> StartAsync(
        PopulatePolicy policy = PopulatePolicy.Delayed,
        SwapPolicy swap = SwapPolicy.Always,
        TimeSpan? deadline = null
    ) =>
        PopulationScene.StartAsync(
            new ProxySwapperOptions
            {
                Rules = [new() { Match = _upstream.Address, Target = $"{_downstream.Address}/mirror" }],
                SwapPolicy = swap,
                Populate = new() { Policy = policy, Deadline = deadline ?? TimeSpan.FromSeconds(20) },
            }
        );
}
