using ProxySwapper.Population.Queue;

namespace ProxySwapper.Tests.Population.Queue;

[TestFixture]
internal sealed class PopulationQueueTests : PopulationQueueFixture
{
    [Test]
    public void A_clock_that_is_corrected_delays_neither_what_waits_nor_what_is_retried()
    {
        Enqueue("a");
        Enqueue("b");
        Queue.Failed(Take(), Transient);
        Time.Correction = TimeSpan.FromHours(-1);
        Assert.That(TryTake()?.Work.Origin.Repository, Is.EqualTo("b"));
        Time.Advance(TimeSpan.FromSeconds(2));
        Assert.That(TryTake()?.Work.Origin.Repository, Is.EqualTo("a"));
    }

    [Test]
    public void Work_for_the_same_target_is_one_job_while_queued_or_running()
    {
        var outcomes = new List<EnqueueOutcome> { Enqueue("a"), Enqueue("a") };
        var job = Take();
        outcomes.Add(Enqueue("a"));
        Queue.Succeeded(job);
        Assert.That(outcomes, Is.EqualTo([EnqueueOutcome.Queued, EnqueueOutcome.Pending, EnqueueOutcome.Pending]));
        Assert.That((Queue.WaitingCount, Queue.RunningCount), Is.EqualTo((0, 0)));
    }

    [Test]
    public void A_tag_is_known_for_a_while_and_a_digest_for_ever()
    {
        Do("a");
        Do($"b@{Digest}");
        var soon = (Enqueue("a"), Enqueue($"b@{Digest}"));
        Time.Advance(Options.RecheckAfter);
        Assert.That(
            (soon, Enqueue("a"), Enqueue($"b@{Digest}")),
            Is.EqualTo(((EnqueueOutcome.Known, EnqueueOutcome.Known), EnqueueOutcome.Queued, EnqueueOutcome.Known))
        );
    }

    [Test]
    public void A_tag_is_looked_at_again_at_once_when_the_policy_says_always_and_a_digest_is_not()
    {
        Do("a");
        Do($"b@{Digest}");
        Assert.That(
            (Enqueue("a", mayHaveMoved: true), Enqueue($"b@{Digest}", mayHaveMoved: true)),
            Is.EqualTo((EnqueueOutcome.Queued, EnqueueOutcome.Known))
        );
    }

    [Test]
    public void A_failure_is_forgotten_so_that_the_next_pod_tries_again()
    {
        Enqueue("a");
        var givenUp = Queue.Failed(Take(), new("no such image", FailureKind.Permanent));
        Assert.That((givenUp.Single().LastFault, Enqueue("a")), Is.EqualTo(("no such image", EnqueueOutcome.Queued)));
    }

    [Test]
    public void A_full_queue_drops_jobs_and_accepts_them_again_once_there_is_room()
    {
        for (var i = 0; i < Options.QueueLimit; i++)
            Enqueue($"image{i}");
        var full = Enqueue("more");
        var again = Enqueue("image0");
        Take();
        Assert.That((full, again, Enqueue("more")), Is.EqualTo((EnqueueOutcome.Dropped, EnqueueOutcome.Pending, EnqueueOutcome.Queued)));
    }

    [Test]
    public void Jobs_that_failed_take_no_room_from_new_ones()
    {
        for (var i = 0; i < Options.QueueLimit; i++)
        {
            Enqueue($"image{i}");
            Queue.Failed(Take(), Transient);
        }
        Assert.That((Queue.WaitingCount, Enqueue("more")), Is.EqualTo((Options.QueueLimit, EnqueueOutcome.Queued)));
    }

    [Test]
    public void Never_more_jobs_run_than_allowed_and_a_reload_changes_how_many()
    {
        for (var i = 0; i < 4; i++)
            Enqueue($"image{i}");
        Take();
        Take();
        var third = TakeAsync();
        Assert.That(third.IsCompleted, Is.False);
        Options = Options with { MaxNumberOfParallelJobs = 3 };
        Enqueue("image4");
        Assert.That(third.Wait(TimeSpan.FromSeconds(10)), Is.True);
    }

    [Test]
    public void Pauses_between_retries_double_and_retries_end()
    {
        Enqueue("a");
        var pauses = new List<double>();
        PopulationJob job;
        while (true)
        {
            job = Take();
            if (Queue.Failed(job, Transient).Count > 0)
                break;
            var pause = job.ReadyAt - Time.GetUtcNow();
            pauses.Add(pause.TotalSeconds);
            Time.Advance(pause - TimeSpan.FromMilliseconds(1));
            Assert.That(TryTake(), Is.Null);
            Time.Advance(TimeSpan.FromMilliseconds(1));
        }
        Assert.That((pauses, job.Failures, job.Completion.Result), Is.EqualTo((new List<double> { 1, 2, 4 }, 4, false)));
    }

    [Test]
    public void A_waiting_worker_wakes_when_a_retry_is_due()
    {
        Enqueue("a");
        var job = Take();
        Queue.Failed(job, Transient);
        var next = TakeAsync();
        Assert.That(next.IsCompleted, Is.False);
        Time.Advance(TimeSpan.FromSeconds(1));
        Assert.That(next.Wait(TimeSpan.FromSeconds(10)) && next.Result == job, Is.True);
    }

    [Test]
    public void A_pod_that_joins_with_other_secrets_gives_a_rejected_image_another_try()
    {
        Enqueue("a");
        var job = Take();
        Queue.TryEnqueue(Copy("a", "up.example.com"), Pod with { Namespace = "other", PullSecrets = ["key"] });
        var first = Queue.Failed(job, new("denied", FailureKind.Permanent)).Count;
        Time.Advance(TimeSpan.FromSeconds(1));
        var second = Queue.Failed(Take(), new("denied", FailureKind.Permanent)).Count;
        Assert.That((first, second, job.Origins.Count), Is.EqualTo((0, 1, 2)));
    }

    [Test]
    public void Closing_gives_back_what_waited_and_ends_the_workers()
    {
        Enqueue("a");
        Enqueue("b");
        var running = Take();
        var left = Queue.Close();
        Assert.That(
            (left.Single().Work.Origin.Repository, TakeAsync().Result, Enqueue("c")),
            Is.EqualTo(("b", (PopulationJob?)null, EnqueueOutcome.Closed))
        );
        Queue.Requeue(running);
        Assert.That((running.Completion.Result, left[0].Completion.Result), Is.EqualTo((false, false)));
    }

    [Test]
    public void Under_many_threads_every_target_runs_once()
    {
        Options = Options with { QueueLimit = 10_000, MaxNumberOfParallelJobs = 4 };
        Parallel.For(0, 20_000, i => Enqueue($"image{i % 500}"));
        var runs = new System.Collections.Concurrent.ConcurrentBag<string>();
        Parallel.For(
            0,
            4,
            _ =>
            {
                while (TryTake() is { } job)
                {
                    runs.Add(job.Work.Key);
                    Queue.Succeeded(job);
                }
            }
        );
        Assert.That((runs.Count, runs.Distinct().Count()), Is.EqualTo((500, 500)));
    }
}
