using ProxySwapper.Population.Queue;
using ProxySwapper.Population.Work;
using ProxySwapper.Registry;

namespace ProxySwapper.Tests.Population.Queue;

/// <summary>An image that many namespaces need is copied with whichever secret gives access to it.</summary>
[TestFixture]
internal sealed class SharedImageTests : PopulationQueueFixture
{
    /// <summary>The Pods whose secrets one attempt tries.</summary>
    private const int Places = 8;

    /// <summary>The namespaces beyond these that wait for a later attempt.</summary>
    private const int Waiting = 64;

    [Test]
    public void The_right_secret_of_the_ninth_namespace_is_tried_beside_wrong_ones_of_eight()
    {
        var job = Join("wrong", Places);
        EnqueueShown("right");
        Assert.That(Queue.Failed(Take(), Denied), Is.Empty);
        Assert.That(Take(), Is.SameAs(job), "at once");
        Assert.That(NamespacesOf(job), Is.EqualTo(["right"]));
        Assert.That((job.Owner, job.Tenant), Is.EqualTo(("right", "right")), "its turn and its share of the queue");
        Assert.That(Queue.Failed(job, Denied), Is.EqualTo([job]), "nobody else");
    }

    [Test]
    public void However_many_secrets_are_rejected_each_namespace_has_its_turn()
    {
        var job = Join("team", Places + Waiting);
        Assert.That(job.Includes($"team{Places + Waiting - 1}"), Is.True);
        EnqueueShown("late");
        Assert.That(job.Includes("late"), Is.False);
        var tried = new List<string>();
        IReadOnlyList<PopulationJob> ended;
        do
        {
            tried.AddRange(NamespacesOf(Take()));
            ended = Queue.Failed(job, Denied);
        } while (ended.Count == 0);
        Assert.That(tried, Is.Unique.And.Count.EqualTo(Places + Waiting));
        Assert.That(job.Failures, Is.GreaterThan(Options.MaxRetries));
    }

    [Test]
    public void Secrets_that_fail_for_another_reason_are_tried_again_after_those_that_were_not()
    {
        var job = Join("limited", Places);
        EnqueueShown("right");
        Queue.Failed(Take(), Transient);
        Assert.That(Take(), Is.SameAs(job), "the pause is for those that failed");
        Assert.That(NamespacesOf(job)[0], Is.EqualTo("right"));
        Assert.That(NamespacesOf(job), Has.Count.EqualTo(Places));
    }

    [Test]
    public void A_failure_of_the_target_is_nobodys_secret()
    {
        var job = Join("team", Places + 1);
        var denied = new JobFailure("denied", FailureKind.Permanent, RegistryName.Parse("down.example.com"));
        Assert.That(Queue.Failed(Take(), denied), Is.EqualTo([job]));
    }

    [Test]
    public void A_forged_review_takes_no_place_of_a_pod_that_exists()
    {
        for (var i = 0; i < Places; i++)
            EnqueueFor($"forged{i}", "shared");
        var job = EnqueueShown("right");
        Assert.That(NamespacesOf(job), Has.Member("right").And.Count.EqualTo(Places));
        for (var i = 0; i < Places; i++)
            EnqueueShown($"team{i}");
        EnqueueFor("forged", "shared");
        Assert.That(NamespacesOf(job), Is.EqualTo(["right", .. Enumerable.Range(0, Places - 1).Select(i => $"team{i}")]));
    }

    private static JobFailure Denied => new("denied", FailureKind.Permanent, RegistryName.Parse("up.example.com"));

    private static IReadOnlyList<string> NamespacesOf(PopulationJob job) => job.Namespaces;

    private PopulationJob Join(string name, int count)
    {
        PopulationJob job = null!;
        for (var i = 0; i < count; i++)
            job = EnqueueShown($"{name}{i}");
        return job;
    }

    /// <summary>Enqueues the image for a Pod that the API server has shown.</summary>
    private PopulationJob EnqueueShown(string @namespace) =>
        Queue
            .TryEnqueue(
                Copy("shared", "up.example.com"),
                new PodOrigin(@namespace, "pod", "default", ["mine"]) { Uid = $"{@namespace}-uid" }
            )
            .Job!;
}
