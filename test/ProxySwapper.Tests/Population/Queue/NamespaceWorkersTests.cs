using ProxySwapper.Population.Queue;

namespace ProxySwapper.Tests.Population.Queue;

/// <summary>How much of the workers' time one namespace gets, and for how long.</summary>
[TestFixture]
internal sealed class NamespaceWorkersTests : PopulationQueueFixture
{
    private const string Greedy = "greedy";
    private const string Modest = "modest";

    [TestCase(2, 1)]
    [TestCase(3, 1)]
    [TestCase(4, 1)]
    [TestCase(5, 2)]
    [TestCase(8, 3)]
    public void Slow_images_of_one_namespace_hold_less_than_half_of_the_workers(int workers, int share)
    {
        Options = Options with { MaxNumberOfParallelJobs = workers, QueueLimit = 100 };
        for (var i = 0; i < 20; i++)
            EnqueueFor(Greedy, $"dead{i}", $"dead{i}.example.com");
        for (var i = 0; i < share; i++)
            Assert.That(Take().Tenant, Is.EqualTo(Greedy));
        Assert.That(TryTake(), Is.Null);
    }

    [Test]
    public void Images_that_take_long_take_fewer_turns()
    {
        Options = Options with { MaxNumberOfParallelJobs = 1, QueueLimit = 100 };
        for (var i = 0; i < 50; i++)
            EnqueueFor(Greedy, $"g{i}");
        for (var i = 0; i < 40; i++)
            EnqueueFor(Modest, $"m{i}");
        var started = Time.GetUtcNow();
        for (var waiting = 40; waiting > 0; )
        {
            var job = Take();
            Time.Advance(TimeSpan.FromSeconds(job.Tenant == Greedy ? 9 : 0.5));
            waiting -= job.Tenant == Modest ? 1 : 0;
            Queue.Succeeded(job);
        }
        Assert.That(Time.GetUtcNow() - started, Is.LessThanOrEqualTo(TimeSpan.FromSeconds((2 * 40 * 0.5) + 9)), "20 s undisturbed");
    }

    [Test]
    public void A_namespace_with_long_images_is_not_in_debt_for_ever()
    {
        Options = Options with { MaxNumberOfParallelJobs = 2, QueueLimit = 1000 };
        EnqueueFor(Greedy, "long");
        EnqueueFor(Modest, "first");
        var jobs = new[] { Take(), Take() };
        Time.Advance(TimeSpan.FromHours(1));
        Array.ForEach(jobs, job => Queue.ReportBytes(job, 4000 * PaceTracker.MinimumRate, 4000 * PaceTracker.MinimumRate));
        var modest = jobs.Single(job => job.Tenant == Modest);
        Queue.Succeeded(modest);
        Queue.Succeeded(jobs.Single(job => job.Tenant == Greedy));
        Options = Options with { MaxNumberOfParallelJobs = 1 };
        EnqueueFor(Greedy, "next");
        for (var i = 0; i < 100; i++)
            EnqueueFor(Modest, $"m{i}");
        var seconds = 0;
        for (var job = Take(); job.Tenant == Modest; job = Take(), seconds++)
        {
            Time.Advance(TimeSpan.FromSeconds(1));
            Queue.Succeeded(job);
        }
        Assert.That(seconds, Is.LessThanOrEqualTo(31));
    }

    [TestCase(2, 2)]
    [TestCase(3, 3)]
    [TestCase(4, 3)]
    [TestCase(8, 7)]
    public void A_namespace_that_is_alone_leaves_one_of_four_workers(int workers, int used)
    {
        Options = Options with { MaxNumberOfParallelJobs = workers, QueueLimit = 100 };
        for (var i = 0; i < 10; i++)
            EnqueueFor(Greedy, $"g{i}");
        for (var i = 0; i < used; i++)
            Take();
        Assert.That(TryTake(), Is.Null);
        EnqueueFor(Modest, "m0");
        Assert.That(TryTake()?.Tenant, Is.EqualTo(used < workers ? Modest : null));
    }

    [Test]
    public void Workers_beyond_its_share_are_given_back_when_others_wait()
    {
        Options = Options with { MaxNumberOfParallelJobs = 4, QueueLimit = 100 };
        for (var i = 0; i < 3; i++)
            EnqueueFor(Greedy, $"g{i}");
        var greedy = Enumerable.Range(0, 3).Select(_ => Take()).ToList();
        var stops = greedy.ConvertAll(_ => new CancellationTokenSource());
        for (var i = 0; i < 3; i++)
            Queue.AllowPreemption(greedy[i], stops[i]);
        Time.Advance(TimeSpan.FromSeconds(5));
        foreach (var team in new[] { "a", "b", "c", "d" })
            EnqueueFor(team, team);
        Assert.That(Take().Tenant, Is.EqualTo("a"), "one worker was left to others");
        Assert.That((TryTake(), stops.Exists(stop => stop.IsCancellationRequested)), Is.EqualTo(((PopulationJob?)null, false)));
        Time.Advance(PaceTracker.PreemptionDelay);
        // The last one ends soon.
        Queue.ReportBytes(greedy[2], 80, 100);
        foreach (var i in new[] { 1, 0 })
        {
            Assert.That(TryTake(), Is.Null);
            Assert.That(() => stops[i].IsCancellationRequested, Is.True.After(5000, 10));
            Queue.Requeue(greedy[i]);
            Assert.That(Take().Tenant, Is.Not.EqualTo(Greedy));
        }
        Queue.ReportBytes(greedy[2], 1, 1000);
        Time.Advance(TimeSpan.FromSeconds(3));
        Assert.That((TryTake(), stops[2].IsCancellationRequested), Is.EqualTo(((PopulationJob?)null, false)), "its share");
        stops.ForEach(stop => stop.Dispose());
    }

    [TestCase(2)]
    [TestCase(4)]
    public void A_change_of_the_queue_costs_no_more_memory_when_many_images_wait(int workers)
    {
        Options = Options with { MaxNumberOfParallelJobs = workers, QueueLimit = 10_000 };
        for (var i = 0; i < workers + 10; i++)
            EnqueueFor(Greedy, $"g{i}");
        using var stop = new CancellationTokenSource();
        while (TryTake() is { } job)
            Queue.AllowPreemption(job, stop);
        CostOfChange();
        var few = CostOfChange();
        for (var i = 100; i < 2100; i++)
            EnqueueFor(Greedy, $"g{i}");
        Assert.That(CostOfChange() - few, Is.LessThan(10_000), "bytes for 2,000 more");

        long CostOfChange()
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            Assert.That(TryTake(), Is.Null);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    [Test]
    public async Task A_waiting_queue_recalls_workers_by_itself()
    {
        EnqueueFor(Greedy, "g0");
        EnqueueFor(Greedy, "g1");
        _ = Take();
        var second = Take();
        using var stop = new CancellationTokenSource();
        using var registration = Queue.AllowPreemption(second, stop);
        EnqueueFor(Modest, "m0");
        var modest = TakeAsync();
        Assert.That(modest.IsCompleted, Is.False);
        Time.Advance(PaceTracker.PreemptionDelay);
        Assert.That(() => stop.IsCancellationRequested, Is.True.After(5000, 10));
        Queue.Requeue(second);
        Assert.That((await modest.WaitAsync(TimeSpan.FromSeconds(10)))!.Tenant, Is.EqualTo(Modest));
    }
}
