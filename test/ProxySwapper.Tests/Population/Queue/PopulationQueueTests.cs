using ProxySwapper.Configuration;
using ProxySwapper.Population.Queue;
using ProxySwapper.Population.Work;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Timing;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Population.Queue;

[TestFixture]
internal sealed class PopulationQueueTests
{
    private const string Digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    private static readonly PodOrigin Pod = new("team", "pod", "default", []);

    private readonly ManualTimeProvider _time = new();
    private PopulateOptions _options = new()
    {
        MaxNumberOfParallelJobs = 2,
        MaxRetries = 3,
        QueueLimit = 5,
    };
    private PopulationQueue _queue = null!;

    [SetUp]
    public void Make()
    {
        _options = new()
        {
            MaxNumberOfParallelJobs = 2,
            MaxRetries = 3,
            QueueLimit = 5,
        };
        _queue = new PopulationQueue(() => _options, _time, new Backoff(() => 0.5));
    }

    [Test]
    public void Work_for_the_same_target_is_queued_once_and_is_one_job_while_in_flight()
    {
        var outcomes = new List<EnqueueOutcome> { Enqueue("a"), Enqueue("a") };
        var job = Take();
        outcomes.Add(Enqueue("a"));
        _queue.Succeeded(job);
        Assert.That(outcomes, Is.EqualTo([EnqueueOutcome.Queued, EnqueueOutcome.Pending, EnqueueOutcome.Pending]));
        Assert.That((_queue.WaitingCount, _queue.RunningCount), Is.EqualTo((0, 0)));
    }

    [Test]
    public void A_tag_is_known_for_a_while_and_a_digest_for_ever()
    {
        Do("a");
        Do($"b@{Digest}");
        var soon = (Enqueue("a"), Enqueue($"b@{Digest}"));
        _time.Advance(_options.RecheckAfter);
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
        var givenUp = _queue.Failed(Take(), new("no such image", FailureKind.Final));
        Assert.That((givenUp.Single().LastFault, Enqueue("a")), Is.EqualTo(("no such image", EnqueueOutcome.Queued)));
    }

    [Test]
    public void A_full_queue_drops_and_takes_again_once_there_is_room()
    {
        for (var i = 0; i < _options.QueueLimit; i++)
            Enqueue($"image{i}");
        var full = Enqueue("more");
        var again = Enqueue("image0");
        Take();
        Assert.That((full, again, Enqueue("more")), Is.EqualTo((EnqueueOutcome.Dropped, EnqueueOutcome.Pending, EnqueueOutcome.Queued)));
    }

    [Test]
    public void Jobs_that_failed_take_no_room_from_new_ones()
    {
        for (var i = 0; i < _options.QueueLimit; i++)
        {
            Enqueue($"image{i}");
            _queue.Failed(Take(), Passing);
        }
        Assert.That((_queue.WaitingCount, Enqueue("more")), Is.EqualTo((_options.QueueLimit, EnqueueOutcome.Queued)));
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
        _options = _options with { MaxNumberOfParallelJobs = 3 };
        Enqueue("image4");
        Assert.That(third.Wait(TimeSpan.FromSeconds(10)), Is.True);
    }

    [Test]
    public void Retries_wait_twice_as_long_each_time_and_end()
    {
        Enqueue("a");
        var pauses = new List<double>();
        PopulationJob job;
        while (true)
        {
            job = Take();
            if (_queue.Failed(job, Passing).Count > 0)
                break;
            var pause = job.ReadyAt - _time.GetUtcNow();
            pauses.Add(pause.TotalSeconds);
            _time.Advance(pause - TimeSpan.FromMilliseconds(1));
            Assert.That(TryTake(), Is.Null);
            _time.Advance(TimeSpan.FromMilliseconds(1));
        }
        Assert.That((pauses, job.Failures, job.Completion.Result), Is.EqualTo((new List<double> { 1, 2, 4 }, 4, false)));
    }

    [Test]
    public void A_registry_is_left_in_peace_for_as_long_as_it_asked()
    {
        Enqueue("a");
        Enqueue("b");
        _queue.Failed(Take(), Failing("up.example.com") with { RetryAfter = TimeSpan.FromMinutes(7) });
        _time.Advance(TimeSpan.FromMinutes(7) - TimeSpan.FromSeconds(1));
        var early = TryTake();
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.That((early, TryTake()?.Work.Origin.Repository), Is.EqualTo(((PopulationJob?)null, "b")));
    }

    [Test]
    public void A_waiting_worker_wakes_when_a_retry_is_due()
    {
        Enqueue("a");
        var job = Take();
        _queue.Failed(job, Passing);
        var next = TakeAsync();
        Assert.That(next.IsCompleted, Is.False);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.That(next.Wait(TimeSpan.FromSeconds(10)) && next.Result == job, Is.True);
    }

    [Test]
    public void A_registry_that_is_down_costs_one_worker_one_try_at_a_time()
    {
        for (var i = 0; i < 3; i++)
            Enqueue($"bad{i}");
        Enqueue("good", "other.example.com");
        _queue.Failed(Take(), Failing("up.example.com"));
        Assert.That(Take().Work.Origin.Registry, Is.EqualTo("other.example.com"), "the others of that registry wait");
        _time.Advance(TimeSpan.FromSeconds(1));
        Take();
        Enqueue("good2", "other.example.com");
        _queue.Succeeded(Running("good"));
        Assert.That(
            (Take().Work.Origin.Repository, TryTake()),
            Is.EqualTo(("good2", (PopulationJob?)null)),
            "one tries whether it is back, and the other worker goes on"
        );
    }

    [Test]
    public void A_registry_that_answers_again_is_used_by_all()
    {
        for (var i = 0; i < 3; i++)
            Enqueue($"image{i}");
        _queue.Failed(Take(), Failing("up.example.com"));
        _time.Advance(TimeSpan.FromSeconds(1));
        var probe = Take();
        Assert.That(TryTake(), Is.Null);
        _queue.ReportProgress(probe);
        Assert.That(TryTake(), Is.Not.Null);
    }

    [Test]
    public void A_registry_that_does_not_come_back_ends_the_wait_of_all_its_jobs()
    {
        Enqueue("a");
        Enqueue("b");
        Enqueue("c", "other.example.com");
        _options = _options with { MaxNumberOfParallelJobs = 1, MaxRetries = 1 };
        _queue.Failed(Take(), Failing("up.example.com"));
        _queue.Succeeded(Take());
        _time.Advance(TimeSpan.FromSeconds(5));
        var givenUp = _queue.Failed(Take(), Failing("up.example.com"));
        Assert.That((givenUp.Count, givenUp.All(job => job.LastFault == "down"), _queue.WaitingCount), Is.EqualTo((2, true, 0)));
    }

    [Test]
    public void Another_namespace_with_secrets_of_its_own_is_not_held_up_by_our_limit()
    {
        Enqueue("a");
        _queue.TryEnqueue(Copy("b", "up.example.com"), Pod with { Namespace = "paying", PullSecrets = ["hub"] });
        _queue.Failed(Take(), Failing("up.example.com") with { RetryAfter = TimeSpan.FromHours(6) });
        Assert.That(Take().Work.Origin.Repository, Is.EqualTo("b"));
    }

    [Test]
    public void Failing_images_leave_a_worker_to_the_others()
    {
        for (var i = 0; i < 3; i++)
        {
            Enqueue($"bad{i}");
            _queue.Failed(Take(), Passing);
        }
        _time.Advance(TimeSpan.FromMinutes(1));
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
        Assert.That(_queue.TryReserveLargeTransfer(first, 10L << 30), Is.True);
        Assert.That(_queue.TryReserveLargeTransfer(second, 10L << 30), Is.False, "one worker of two may be held");
        _queue.Requeue(second);
        var passed = new List<string>();
        while (TryTake() is { } job)
        {
            passed.Add(job.Work.Origin.Repository);
            _queue.Succeeded(job);
        }
        _queue.Succeeded(first);
        Assert.That((passed, Take()), Is.EqualTo((new List<string> { "small1", "small2" }, second)));
        Assert.That((_queue.TryReserveLargeTransfer(second, 10L << 30), second.Failures), Is.EqualTo((true, 0)));
    }

    [Test]
    public void With_one_worker_slow_ones_and_new_ones_take_turns()
    {
        _options = _options with { MaxNumberOfParallelJobs = 1, QueueLimit = 100 };
        for (var i = 0; i < 2; i++)
        {
            Enqueue($"bad{i}");
            _queue.Failed(Take(), Passing);
        }
        _time.Advance(TimeSpan.FromMinutes(1));
        for (var i = 0; i < 2; i++)
            Enqueue($"good{i}");
        var order = new List<string>();
        while (TryTake() is { } job)
        {
            order.Add(job.Work.Origin.Repository);
            _queue.Succeeded(job);
        }
        Assert.That(order, Is.EqualTo(["bad0", "good0", "bad1", "good1"]));
    }

    [Test]
    public void What_an_admission_waits_for_goes_first_while_it_waits()
    {
        Enqueue("a");
        Enqueue("b");
        Enqueue("c");
        using (_queue.Prioritize(_queue.Find("down.example.com/b:1")!))
            Assert.That(Take().Work.Origin.Repository, Is.EqualTo("b"));
        using (_queue.Prioritize(_queue.Find("down.example.com/c:1")!)) { }
        Assert.That(Take().Work.Origin.Repository, Is.EqualTo("a"));
    }

    [Test]
    public void A_pod_that_joins_with_other_secrets_gives_a_refused_image_another_try()
    {
        Enqueue("a");
        var job = Take();
        _queue.TryEnqueue(Copy("a", "up.example.com"), Pod with { Namespace = "other", PullSecrets = ["key"] });
        var first = _queue.Failed(job, new("denied", FailureKind.Final)).Count;
        _time.Advance(TimeSpan.FromSeconds(1));
        var second = _queue.Failed(Take(), new("denied", FailureKind.Final)).Count;
        Assert.That((first, second, job.Origins.Count), Is.EqualTo((0, 1, 2)));
    }

    [Test]
    public void Closing_gives_back_what_waited_and_ends_the_workers()
    {
        Enqueue("a");
        Enqueue("b");
        var running = Take();
        var left = _queue.Close();
        Assert.That(
            (left.Single().Work.Origin.Repository, TakeAsync().Result, Enqueue("c")),
            Is.EqualTo(("b", (PopulationJob?)null, EnqueueOutcome.Closed))
        );
        _queue.Requeue(running);
        Assert.That((running.Completion.Result, left[0].Completion.Result), Is.EqualTo((false, false)));
    }

    [Test]
    public void Under_many_threads_every_target_runs_once()
    {
        _options = _options with { QueueLimit = 10_000, MaxNumberOfParallelJobs = 4 };
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
                    _queue.Succeeded(job);
                }
            }
        );
        Assert.That((runs.Count, runs.Distinct().Count()), Is.EqualTo((500, 500)));
    }

    private static JobFailure Passing => new("500", FailureKind.Passing, "up.example.com");

    private static JobFailure Failing(string host) => new("down", FailureKind.HostFailing, host);

    private static CopyWork Copy(string name, string registry)
    {
        var path = name.Contains('@', StringComparison.Ordinal) ? name : $"{name}:1";
        return new(ImageReference.Parse($"{registry}/{path}"), ImageReference.Parse($"down.example.com/{path}"), []);
    }

    private EnqueueOutcome Enqueue(string name, string registry = "up.example.com", bool mayHaveMoved = false) =>
        _queue.TryEnqueue(Copy(name, registry), Pod, mayHaveMoved).Outcome;

    private PopulationJob Running(string name) => _queue.Find($"down.example.com/{name}:1")!;

    private void Do(string name)
    {
        Enqueue(name);
        _queue.Succeeded(Take());
    }

    private Task<PopulationJob?> TakeAsync() => _queue.TakeAsync(CancellationToken.None).AsTask();

    private PopulationJob Take() => TryTake() ?? throw new AssertionException("No job may run.");

    /// <summary>What a free worker gets now, without waiting.</summary>
    private PopulationJob? TryTake()
    {
        using var impatient = new CancellationTokenSource();
        var take = _queue.TakeAsync(impatient.Token).AsTask();
        if (take.IsCompleted)
            return take.Result;
        impatient.Cancel();
        Assert.That(() => take, Throws.InstanceOf<OperationCanceledException>());
        return null;
    }
}
