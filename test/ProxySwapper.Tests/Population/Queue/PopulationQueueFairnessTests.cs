using ProxySwapper.Population.Queue;

namespace ProxySwapper.Tests.Population.Queue;

/// <summary>The order of jobs: failing registries, failing images and large images leave a worker to the others.</summary>
[TestFixture]
internal sealed class PopulationQueueFairnessTests : PopulationQueueFixture
{
    [Test]
    public void A_registrys_Retry_After_is_obeyed()
    {
        Enqueue("a");
        Enqueue("b");
        Queue.Failed(Take(), Failing("up.example.com") with { RetryAfter = TimeSpan.FromMinutes(7) });
        Time.Advance(TimeSpan.FromMinutes(7) - TimeSpan.FromSeconds(1));
        var early = TryTake();
        Time.Advance(TimeSpan.FromSeconds(2));
        Assert.That((early, TryTake()?.Work.Origin.Repository), Is.EqualTo(((PopulationJob?)null, "b")));
    }

    [Test]
    public void A_registry_that_is_down_costs_one_worker_one_attempt_at_a_time()
    {
        Responded("other.example.com");
        for (var i = 0; i < 3; i++)
            Enqueue($"bad{i}");
        var bad = Take();
        Enqueue("good", "other.example.com");
        Queue.Failed(bad, Failing("up.example.com"));
        Assert.That(Take().Work.Origin.Registry.Text, Is.EqualTo("other.example.com"), "the others of that registry wait");
        Time.Advance(TimeSpan.FromSeconds(1));
        Take();
        Enqueue("good2", "other.example.com");
        Queue.Succeeded(Running("good"));
        Assert.That(
            (Take().Work.Origin.Repository, TryTake()),
            Is.EqualTo(("good2", (PopulationJob?)null)),
            "one tries whether it is back, and the other worker continues"
        );
    }

    [Test]
    public void A_registry_that_responds_again_is_used_by_all_jobs()
    {
        for (var i = 0; i < 3; i++)
            Enqueue($"image{i}");
        Queue.Failed(Take(), Failing("up.example.com"));
        Time.Advance(TimeSpan.FromSeconds(1));
        var probe = Take();
        Assert.That(TryTake(), Is.Null);
        Queue.ReportProgress(probe);
        Assert.That(TryTake(), Is.Not.Null);
    }

    [Test]
    public void A_registry_that_does_not_come_back_ends_the_wait_of_all_its_jobs()
    {
        Enqueue("a");
        Enqueue("b");
        Enqueue("c", "other.example.com");
        Options = Options with { MaxNumberOfParallelJobs = 1, MaxRetries = 1 };
        Queue.Failed(Take(), Failing("up.example.com"));
        Queue.Succeeded(Take());
        Time.Advance(TimeSpan.FromSeconds(5));
        var givenUp = Queue.Failed(Take(), Failing("up.example.com"));
        Assert.That((givenUp.Count, givenUp.All(job => job.LastFault == "down"), Queue.WaitingCount), Is.EqualTo((2, true, 0)));
    }

    [Test]
    public void Another_namespace_with_its_own_secrets_is_not_delayed_by_our_rate_limit()
    {
        Enqueue("a");
        var first = Take();
        Queue.TryEnqueue(Copy("b", "up.example.com"), Pod with { Namespace = "paying", PullSecrets = ["hub"] });
        Queue.Failed(first, Failing("up.example.com") with { RetryAfter = TimeSpan.FromHours(6) });
        Assert.That(Take().Work.Origin.Repository, Is.EqualTo("b"));
    }

    [Test]
    public void A_job_whose_pods_change_while_it_runs_does_not_leave_its_registry_being_tried_for_ever()
    {
        Enqueue("a");
        Queue.Failed(Take(), Failing("up.example.com"));
        // The last Pod of a namespace needs the image without secrets, like image a.
        var paying = Pod with
        {
            Namespace = "paying",
            PullSecrets = ["hub"],
        };
        for (var i = 0; i < 7; i++)
            Queue.TryEnqueue(Copy("b", "up.example.com"), paying with { ServiceAccount = $"account{i}" });
        Queue.TryEnqueue(Copy("b", "up.example.com"), paying with { PullSecrets = [] });
        var running = Take();
        Assert.That((running.Work.Origin.Repository, running.Sources.Count), Is.EqualTo(("b", 2)));
        Queue.TryEnqueue(Copy("b", "up.example.com"), paying with { Namespace = "another" });
        Queue.Requeue(running);
        Queue.Succeeded(Take());
        Time.Advance(TimeSpan.FromMinutes(1));
        Assert.That(TryTake()?.Work.Origin.Repository, Is.EqualTo("a"));
    }

    [Test]
    public void A_pod_that_joins_a_running_job_does_not_share_the_failures_of_credentials_that_are_not_its_own()
    {
        Options = Options with { MaxNumberOfParallelJobs = 1, MaxRetries = 0 };
        var paying = Pod with { Namespace = "paying", PullSecrets = ["hub"] };
        Enqueue("a");
        var first = Take();
        Queue.TryEnqueue(Copy("a", "up.example.com"), paying);
        Queue.TryEnqueue(Copy("b", "up.example.com"), paying);
        var givenUp = Queue.Failed(first, Failing("up.example.com") with { RetryAfter = TimeSpan.FromHours(6) });
        Assert.That(givenUp.Select(job => job.Work.Origin.Repository), Is.EqualTo(["a"]));
        Assert.That(TryTake()?.Work.Origin.Repository, Is.EqualTo("b"));
    }

    [Test]
    public void Failing_images_leave_a_worker_to_the_others()
    {
        for (var i = 0; i < 3; i++)
        {
            Enqueue($"bad{i}");
            Queue.Failed(Take(), Transient);
        }
        Time.Advance(TimeSpan.FromMinutes(1));
        Take();
        Assert.That(TryTake(), Is.Null, "the second worker is kept for new ones");
        Enqueue("good");
        Assert.That(Take().Work.Origin.Repository, Is.EqualTo("good"));
    }

    [Test]
    public void Large_images_leave_a_worker_to_the_others()
    {
        foreach (var name in new[] { "huge1", "huge2", "small1", "small2" })
            Enqueue(name);
        var first = Take();
        var second = Take();
        Assert.That(Queue.TryReserveLargeTransfer(first, 10L << 30), Is.True);
        Assert.That(Queue.TryReserveLargeTransfer(second, 10L << 30), Is.False, "one worker of two may be held");
        Queue.Requeue(second);
        var passed = new List<string>();
        while (TryTake() is { } job)
        {
            passed.Add(job.Work.Origin.Repository);
            Queue.Succeeded(job);
        }
        Queue.Succeeded(first);
        Assert.That((passed, Take()), Is.EqualTo((new List<string> { "small1", "small2" }, second)));
        Assert.That((Queue.TryReserveLargeTransfer(second, 10L << 30), second.Failures), Is.EqualTo((true, 0)));
    }

    [Test]
    public void A_large_image_does_not_keep_the_next_try_of_another_namespace_waiting()
    {
        Enqueue("huge");
        Assert.That(Queue.TryReserveLargeTransfer(Take(), 10L << 30), Is.True);
        Queue.TryEnqueue(Copy("app", "up.example.com"), Pod with { Namespace = "other" });
        Queue.Failed(Take(), Transient);
        Time.Advance(TimeSpan.FromMinutes(1));
        Assert.That(Take().Work.Origin.Repository, Is.EqualTo("app"));
    }

    [Test]
    public void With_one_worker_slow_and_new_jobs_alternate()
    {
        Options = Options with { MaxNumberOfParallelJobs = 1, QueueLimit = 100 };
        for (var i = 0; i < 2; i++)
        {
            Enqueue($"bad{i}");
            Queue.Failed(Take(), Transient);
        }
        Time.Advance(TimeSpan.FromMinutes(1));
        for (var i = 0; i < 2; i++)
            Enqueue($"good{i}");
        var order = new List<string>();
        while (TryTake() is { } job)
        {
            order.Add(job.Work.Origin.Repository);
            Queue.Succeeded(job);
        }
        Assert.That(order, Is.EqualTo(["bad0", "good0", "bad1", "good1"]));
    }

    [Test]
    public void A_job_that_an_admission_waits_for_goes_first()
    {
        Enqueue("a");
        Enqueue("b");
        Enqueue("c");
        using (Queue.Prioritize(Running("b")))
            Assert.That(Take().Work.Origin.Repository, Is.EqualTo("b"));
        using (Queue.Prioritize(Running("c"))) { }
        Assert.That(Take().Work.Origin.Repository, Is.EqualTo("a"));
    }
}
