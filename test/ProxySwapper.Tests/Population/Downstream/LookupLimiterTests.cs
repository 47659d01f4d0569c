using ProxySwapper.Population.Cluster;
using ProxySwapper.Population.Downstream;
using ProxySwapper.Registry;

namespace ProxySwapper.Tests.Population.Downstream;

/// <summary>Reviews and Pods of a namespace share its lookups, and forged reviews leave half of a registry's to others.</summary>
[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class LookupLimiterTests
{
    private static readonly RegistryName Registry = RegistryName.Parse("down.example.com");

    private readonly SeenNamespaces _seen = new();
    private readonly LookupLimiter _limiter;

    public LookupLimiterTests() => _limiter = new LookupLimiter(_seen);

    [Test]
    public async Task Pods_and_reviews_of_a_namespace_together_have_as_many_as_either_alone()
    {
        var pods = new List<IDisposable>();
        for (var i = 0; i < LookupLimiter.MaximumOfNamespace; i++)
            pods.Add(await PodAsync("a"));
        var review = ReviewAsync("a");
        Assert.That(review.IsCompleted, Is.False);
        using var other = await ReviewAsync("b");
        using var elsewhere = await _limiter.EnterForReviewAsync("a", RegistryName.Parse("other.example.com"), default);
        pods[0].Dispose();
        using var place = await review;
        Assert.That(PodAsync("a").IsCompleted, Is.False);
    }

    [Test]
    public async Task A_review_waits_behind_few_of_a_thousand_pods()
    {
        var pods = Enumerable.Range(0, 1000).Select(_ => PodAsync("c")).ToList();
        var review = ReviewAsync("c");
        for (var i = 0; i < LookupLimiter.MaximumOfNamespace && !review.IsCompleted; i++)
            (await pods[i]).Dispose();
        using var place = await review.WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System);
        Assert.That(pods.Count(pod => pod.IsCompleted), Is.LessThan(20));
    }

    [Test]
    public async Task Namespaces_that_only_reviews_have_named_share_half_of_a_registry()
    {
        _seen.Add("real");
        var forged = Enumerable.Range(0, 100).Select(i => ReviewAsync($"forged-{i}")).ToList();
        Assert.That(forged.Count(review => review.IsCompleted), Is.EqualTo(LookupLimiter.MaximumUnseen));
        for (var i = 0; i < LookupLimiter.MaximumOfNamespace; i++)
            Assert.That(ReviewAsync("real").IsCompleted, Is.True);
        _seen.Add("new");
        Assert.That(ReviewAsync("new").IsCompleted, Is.True, "once the API server has shown a Pod of it");
        (await forged[0]).Dispose();
        using var next = await forged[LookupLimiter.MaximumUnseen].WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System);
    }

    [Test]
    public async Task A_review_that_gives_up_leaves_its_place()
    {
        _seen.Add("real");
        var forged = new List<IDisposable>();
        for (var i = 0; i < LookupLimiter.MaximumUnseen; i++)
            forged.Add(await ReviewAsync($"forged-{i}"));
        using var deadline = new CancellationTokenSource();
        var late = Enumerable
            .Range(0, LookupLimiter.MaximumOfNamespace)
            .Select(_ => _limiter.EnterForReviewAsync("late", Registry, deadline.Token).AsTask())
            .ToList();
        await deadline.CancelAsync();
        foreach (var each in late)
            Assert.That(() => each, Throws.InstanceOf<OperationCanceledException>());
        forged.ForEach(place => place.Dispose());
        for (var i = 0; i < LookupLimiter.MaximumOfNamespace; i++)
            Assert.That(ReviewAsync("late").IsCompleted, Is.True);
    }

    private Task<IDisposable> PodAsync(string @namespace) => _limiter.EnterForPodAsync(@namespace, Registry, default).AsTask();

    private Task<IDisposable> ReviewAsync(string @namespace) => _limiter.EnterForReviewAsync(@namespace, Registry, default).AsTask();
}
