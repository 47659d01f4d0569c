using Microsoft.AspNetCore.Http;
using ProxySwapper.Admission;
using ProxySwapper.Configuration;
using ProxySwapper.Population.Cluster;
using ProxySwapper.Population.Downstream;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Rules;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Population.Downstream;

/// <summary>With <c>swapPolicy: exists</c>, the lookups of one namespace hold up no other's, and end with the reviews that wait.</summary>
[TestFixture]
internal sealed class AdmissionLookupTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(7);

    private readonly TestImage _image = TestImage.Create(41, 1, 100);
    private int _slow;
    private volatile bool _hidesManifests;
    private TaskCompletionSource _end = null!;
    private ManualTimeProvider _time = null!;
    private InMemoryRegistry _downstream = null!;
    private InMemoryRegistry _other = null!;
    private PopulationScene _scene = null!;

    [SetUp]
    public async Task Start()
    {
        (_slow, _hidesManifests) = (0, false);
        _end = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _time = new ManualTimeProvider();
        _downstream = await InMemoryRegistry.StartAsync(new InMemoryRegistryOptions { Interceptor = HoldAsync });
        _image.AddTo(_downstream, "mirror/team/app", "1");
        _image.AddTo(_downstream, "mirror/slow/app0", "1");
        _other = await InMemoryRegistry.StartAsync();
        _image.AddTo(_other, "mirror/team/app", "1");
        _scene = await PopulationScene.StartAsync(
            new ProxySwapperOptions
            {
                Rules =
                [
                    new() { Match = "up.example.com", Target = $"{_downstream.Address}/mirror" },
                    new() { Match = "other.example.com", Target = $"{_other.Address}/mirror" },
                ],
                SwapPolicy = SwapPolicy.Exists,
                ProxyHealth = new() { Fallback = false },
                Populate = new() { Policy = PopulatePolicy.None, Deadline = Deadline },
            },
            time: _time
        );
    }

    [TearDown]
    public async Task Stop()
    {
        _end.TrySetResult();
        await _scene.DisposeAsync();
        await _downstream.DisposeAsync();
        await _other.DisposeAsync();
    }

    [Test]
    public async Task A_review_of_950_images_holds_up_no_other_namespace()
    {
        var hostile = ReviewAsync("hostile", 950);
        await HeldAsync(LookupLimiter.MaximumOfNamespace);
        var other = await ReviewAsync("team", "team/app").WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System);
        Assert.That(other.Images.Single().Decision.IsRewritten, Is.True);
        await _time.FireAsync(Deadline);
        var decisions = (await hostile).Images.Select(image => image.Decision).ToList();
        Assert.That(decisions.Select(decision => decision.Reason), Is.All.EqualTo(DecisionReason.DownstreamFailing));
        Assert.That(
            decisions.CountBy(decision => decision.Warning!.Contains("too many other images", StringComparison.Ordinal)),
            Is.EquivalentTo(
                new KeyValuePair<bool, int>[]
                {
                    new(false, LookupLimiter.MaximumOfNamespace),
                    new(true, 950 - LookupLimiter.MaximumOfNamespace),
                }
            )
        );
    }

    [Test]
    public async Task Reviews_of_many_namespaces_that_nobody_has_seen_hold_up_none_of_a_namespace_with_pods()
    {
        const int Forged = 10;
        _scene.Get<SeenNamespaces>().Add("team");
        var hostile = Enumerable.Range(0, Forged).Select(index => ReviewAsync($"forged-{index}", $"slow/app{index}")).ToList();
        await HeldAsync(LookupLimiter.MaximumUnseen);
        await _time.WaitForTimerAsync(Deadline, Forged);
        var other = await ReviewAsync("team", "team/app").WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System);
        Assert.That(other.Images.Single().Decision.IsRewritten, Is.True);
        _time.Advance(Deadline);
        await Task.WhenAll(hostile);
        Assert.That(_slow, Is.EqualTo(LookupLimiter.MaximumUnseen));
    }

    [Test]
    public async Task After_the_reviews_only_lookups_that_the_registry_was_queried_for_continue_and_the_next_review_has_their_result()
    {
        var reviews = Enumerable.Range(0, 5).Select(_ => ReviewAsync("hostile", 50)).ToList();
        await HeldAsync(LookupLimiter.MaximumOfNamespace);
        await _time.WaitForTimerAsync(Deadline, reviews.Count);
        _time.Advance(Deadline);
        await Task.WhenAll(reviews);
        _end.TrySetResult();
        await TestWait.UntilAsync(() => Seen("slow/app0"), "the result of the lookup");
        var next = await ReviewAsync("hostile", "slow/app0");
        Assert.That(next.Images.Single().Decision.IsRewritten, Is.True);
        Assert.That(_slow, Is.EqualTo(LookupLimiter.MaximumOfNamespace));
    }

    [Test]
    public async Task Reviews_of_one_namespace_share_a_lookup_although_the_first_has_less_time()
    {
        var hostile = ReviewAsync("team", 4);
        await HeldAsync(LookupLimiter.MaximumOfNamespace);
        var first = ReviewAsync("team", "team/app");
        await _time.WaitForTimerAsync(Deadline, 2);
        _time.Advance(TimeSpan.FromSeconds(1));
        var second = Enumerable.Range(0, 20).Select(_ => ReviewAsync("team", "team/app")).ToList();
        await _time.WaitForTimerAsync(Deadline, 20);
        _time.Advance(Deadline - TimeSpan.FromSeconds(1));
        await Task.WhenAll(hostile, first);
        Assert.That((await first).Images.Single().Decision.IsRewritten, Is.False);
        _end.TrySetResult();
        Assert.That((await Task.WhenAll(second)).Select(decision => decision.Images.Single().Decision.IsRewritten), Is.All.True);
        Assert.That(_downstream.Count(HttpMethod.Head, InMemoryRegistryRequestKind.Manifest), Is.EqualTo(5));
    }

    [Test]
    public async Task An_image_is_found_where_the_response_to_every_HEAD_is_404()
    {
        _hidesManifests = true;
        var decision = await ReviewAsync("team", "team/app", "team/absent");
        Assert.That(
            decision.Images.Select(image => image.Decision.Reason == DecisionReason.NotDownstream),
            Is.EqualTo(new[] { false, true })
        );
        Assert.That(decision.Images[0].Decision.IsRewritten, Is.True);
    }

    [Test]
    public async Task A_target_that_a_pod_names_often_is_looked_up_once()
    {
        var decision = await ReviewAsync("team", [.. Enumerable.Repeat("team/absent", 50)]);
        Assert.That(decision.Images.Select(image => image.Decision.Reason), Is.All.EqualTo(DecisionReason.NotDownstream));
        Assert.That(_downstream.Count(HttpMethod.Head, InMemoryRegistryRequestKind.Manifest), Is.EqualTo(1));
    }

    [Test]
    public async Task A_registry_that_hangs_holds_up_no_image_of_another()
    {
        var slow = Enumerable.Range(0, 10).Select(index => $"up.example.com/slow/app{index}:1");
        var review = _scene.ReviewAsync(ReviewSamples.Create([.. slow, "other.example.com/team/app:1"]));
        await HeldAsync(LookupLimiter.MaximumOfNamespace);
        await TestWait.UntilAsync(() => _other.Count(HttpMethod.Head, InMemoryRegistryRequestKind.Manifest) == 1, "the other lookup");
        await _time.FireAsync(Deadline);
        Assert.That((await review).Images.Select(image => image.Decision.IsRewritten).TakeLast(2), Is.EqualTo([false, true]));
    }

    [Test]
    public async Task Reviews_that_hold_too_much_memory_have_their_response_at_once_and_those_of_another_namespace_are_not()
    {
        var name = new string('a', 200);
        var reviews = Enumerable
            .Range(0, 20)
            .Select(review => ReviewAsync("hostile", [.. Enumerable.Range(0, 1000).Select(index => $"slow/{name}/{review}/{index}")]))
            .ToList();
        // The clock stands still, so that these do not wait until their time is up.
        await TestWait.UntilAsync(() => reviews.Count(review => review.IsCompleted) >= 5, "reviews beyond the limit");
        await HeldAsync(LookupLimiter.MaximumOfNamespace);
        var other = await ReviewAsync("team", "team/app").WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System);
        Assert.That(other.Images.Single().Decision.IsRewritten, Is.True);
        Assert.That(reviews.Where(review => !review.IsCompleted), Is.Not.Empty);
        var displaced = reviews.Where(review => review.IsCompleted).SelectMany(review => review.Result.Images).ToList();
        Assert.That(displaced.Select(image => image.Decision.Reason), Is.All.EqualTo(DecisionReason.DownstreamFailing));
        Assert.That(displaced.Select(image => image.Decision.Warning), Is.All.Contains("its namespace has the most of them"));
        await _time.FireAsync(Deadline);
        await Task.WhenAll(reviews);
    }

    [Test]
    public async Task A_client_that_hangs_up_says_nothing_about_the_registry()
    {
        var health = _scene.Get<DownstreamHealth>();
        foreach (var registry in new[] { _downstream, _other })
            health.Watch(ProxySwapper.Registry.RegistryName.Parse(registry.Address));
        await TestWait.UntilAsync(() => health.Snapshot().All(state => state.CheckedAt is not null), "the first checks");
        var first = _time.GetUtcNow();
        _time.Advance(TimeSpan.FromSeconds(1));
        using var client = new CancellationTokenSource();
        var review = _scene.ReviewAsync(ReviewSamples.Create("up.example.com/slow/app:1"), aborted: client.Token);
        await HeldAsync(1);
        await client.CancelAsync();
        await review;
        // Registries are checked together, so the other one would have been too.
        health.ReportFailure(ProxySwapper.Registry.RegistryName.Parse(_other.Address));
        await CheckedAgainAsync(_other);
        Assert.That(_downstream.Count(HttpMethod.Get, InMemoryRegistryRequestKind.Ping), Is.EqualTo(1), "when it was first watched");
        var late = ReviewAsync("team", 1);
        await _time.FireAsync(Deadline);
        await late;
        await CheckedAgainAsync(_downstream);
        Assert.That(_downstream.Count(HttpMethod.Get, InMemoryRegistryRequestKind.Ping), Is.EqualTo(2), "only when a review timed out");

        Task CheckedAgainAsync(InMemoryRegistry registry) =>
            TestWait.UntilAsync(
                () => health.Snapshot().Single(state => state.Registry.Text == registry.Address).CheckedAt > first,
                "the end of another check"
            );
    }

    private bool Seen(string name) =>
        _scene.Get<DownstreamLookup>().WasSeen(ProxySwapper.Registry.ImageReference.Parse($"{_downstream.Address}/mirror/{name}:1"));

    private Task HeldAsync(int count) =>
        TestWait.UntilAsync(() => Volatile.Read(ref _slow) >= count, $"{count} lookups that wait for the registry");

    private Task<PodDecision> ReviewAsync(string @namespace, int images) =>
        ReviewAsync(@namespace, [.. Enumerable.Range(0, images).Select(index => $"slow/app{index}")]);

    private Task<PodDecision> ReviewAsync(string @namespace, params string[] names) =>
        _scene.ReviewAsync(
            ReviewSamples
                .Create([.. names.Select(name => $"up.example.com/{name}:1")])
                .Replace("\"shop\"", $"\"{@namespace}\"", StringComparison.Ordinal)
        );

    private async Task HoldAsync(HttpContext context, RequestDelegate next)
    {
        var isHead = HttpMethods.IsHead(context.Request.Method);
        if (_hidesManifests && isHead)
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }
        // The first request of a lookup.
        if (isHead && context.Request.Path.Value!.Contains("/slow/", StringComparison.Ordinal))
        {
            Interlocked.Increment(ref _slow);
            await _end.Task.WaitAsync(context.RequestAborted);
        }
        await next(context);
    }
}
