using ProxySwapper.Admission;
using ProxySwapper.Configuration;
using ProxySwapper.Population;
using ProxySwapper.Population.Cluster;
using ProxySwapper.Rules;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Population;

/// <summary>The memory of waiting reviews is shared by the namespaces.</summary>
[TestFixture, FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class WaitingReviewsTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(3);

    private static readonly RuleSet Rules = RuleSet.Compile(new ProxySwapperOptions());

    private readonly ManualTimeProvider _time = new();
    private readonly SeenNamespaces _seen = new();
    private readonly WaitingReviews _reviews;

    public WaitingReviewsTests() => _reviews = new WaitingReviews(_seen, _time);

    [Test]
    public async Task The_newest_review_of_the_namespace_with_the_most_makes_room()
    {
        var hostile = Enumerable.Range(0, 15).Select(_ => Enter("hostile", parts: 16)).ToList();
        Assert.That(hostile.Select(review => review.IsDisplaced), Is.All.False);
        var team = Enumerable.Range(0, 4).Select(_ => Enter("team", parts: 16)).ToList();
        Assert.That(
            hostile.Select(review => review.IsDisplaced),
            Is.EqualTo([.. Enumerable.Repeat(false, 11), .. Enumerable.Repeat(true, 4)])
        );
        Assert.That(team.Select(review => review.Token.IsCancellationRequested), Is.All.False);
        await TestWait.UntilAsync(() => hostile.TakeLast(4).All(review => review.Token.IsCancellationRequested), "the end of their waits");
        Assert.That(hostile.Any(review => review.HasTimedOut), Is.False);
    }

    [Test]
    public void A_review_without_room_does_not_wait_at_all()
    {
        for (var i = 0; i < 15; i++)
            Enter("hostile", parts: 16);
        var team = Enter("team", parts: 16 * 16);
        var next = Enter("hostile", parts: 16);
        Assert.That((team.IsDisplaced, team.Token.IsCancellationRequested), Is.EqualTo((true, true)), "larger than all others");
        Assert.That((next.IsDisplaced, next.Token.IsCancellationRequested), Is.EqualTo((true, true)), "of the namespace with the most");
    }

    [Test]
    public void Namespaces_that_only_reviews_have_named_share_the_room_of_one()
    {
        _seen.Add("team");
        var forged = Enumerable
            .Range(0, 2000)
            .Select(index => _reviews.Enter(PodOf($"forged-{index}", parts: 0) with { TextLength = 900 }, Limit, default))
            .ToList();
        Assert.That(forged.Count(review => !review.IsDisplaced), Is.InRange(1000, 1999), "they fill the room");
        var team = Enumerable.Range(0, 7).Select(_ => Enter("team", parts: 16)).ToList();
        Assert.That(team.Select(review => review.IsDisplaced), Is.All.False);
    }

    [Test]
    public void A_review_stays_in_its_share_when_a_pod_of_its_namespace_is_shown()
    {
        _seen.Add("team");
        using (var early = Enter("new", parts: 15 * 16))
            _seen.Add("new");
        Assert.That(Enter("other", parts: 15 * 16).IsDisplaced, Is.False, "what has left makes room");
    }

    [Test]
    public void A_review_that_has_waited_makes_room()
    {
        for (var i = 0; i < 100; i++)
            using (var review = Enter("team", parts: 16 * 15))
                Assert.That(review.IsDisplaced, Is.False);
    }

    [Test]
    public void One_that_was_displaced_and_has_left_does_not_make_room_twice()
    {
        var first = Enter("hostile", parts: 9 * 16);
        var displaced = Enter("hostile", parts: 9 * 16);
        displaced.Dispose();
        Assert.That((first.IsDisplaced, Enter("hostile", parts: 9 * 16).IsDisplaced), Is.EqualTo((false, true)));
    }

    [Test]
    public async Task What_ends_a_wait_is_known()
    {
        using var client = new CancellationTokenSource();
        var gone = _reviews.Enter(PodOf("team", 1), Limit, client.Token);
        var late = Enter("team", 1);
        await client.CancelAsync();
        _time.Advance(Limit);
        Assert.That(
            (gone.Token.IsCancellationRequested, gone.HasTimedOut, late.Token.IsCancellationRequested, late.HasTimedOut),
            Is.EqualTo((true, false, true, true))
        );
    }

    private WaitingReview Enter(string @namespace, int parts) => _reviews.Enter(PodOf(@namespace, parts), Limit, default);

    /// <summary>A Pod whose text takes a number of 256ths of the limit, and whose request a little more.</summary>
    private static AdmittedPod PodOf(string @namespace, int parts) =>
        new()
        {
            Namespace = @namespace,
            Name = "web",
            ServiceAccountName = "default",
            PullSecrets = [],
            Images = [],
            Rules = Rules,
            IsDryRun = false,
            TextLength = WaitingReviews.MaximumSize / 256 / sizeof(char) * parts,
        };
}
