using ProxySwapper.Population.Queue;

namespace ProxySwapper.Tests.Population.Queue;

/// <summary>The work of one namespace never takes another's turn, its room or the last worker.</summary>
[TestFixture]
internal sealed class NamespaceShareTests : PopulationQueueFixture
{
    private const string Greedy = "greedy";
    private const string Modest = "modest";

    [Test]
    public void A_pod_with_950_images_of_dead_hosts_delays_and_drops_nobody_else()
    {
        Options = Options with { QueueLimit = 1000 };
        for (var i = 0; i < 950; i++)
            Assert.That(EnqueueFor(Greedy, $"dead{i}", $"dead{i}.example.com").Outcome, Is.EqualTo(EnqueueOutcome.Queued));
        var held = Take();
        Assert.That((held.Tenant, TryTake()), Is.EqualTo((Greedy, (PopulationJob?)null)), "the last worker is for others");
        for (var i = 0; i < 100; i++)
        {
            Assert.That(EnqueueFor(Modest, $"good{i}").Outcome, Is.EqualTo(EnqueueOutcome.Queued));
            var good = Take();
            Assert.That(good.Tenant, Is.EqualTo(Modest));
            Queue.Succeeded(good);
            Queue.Failed(held, Failing(held.Work.Origin.Registry.Text));
            held = Take();
        }
    }

    [Test]
    public void Namespaces_take_turns()
    {
        Options = Options with { MaxNumberOfParallelJobs = 1, QueueLimit = 100 };
        for (var i = 0; i < 10; i++)
            EnqueueFor(Greedy, $"g{i}");
        for (var i = 0; i < 2; i++)
        {
            EnqueueFor(Modest, $"m{i}");
            EnqueueFor("third", $"t{i}");
        }
        Assert.That(Order(6), Is.EqualTo([Greedy, Modest, "third", Greedy, Modest, "third"]));
    }

    [Test]
    public void Within_a_namespace_registries_take_turns()
    {
        Options = Options with { MaxNumberOfParallelJobs = 1, QueueLimit = 100 };
        Responded("other.example.com");
        for (var i = 0; i < 10; i++)
            EnqueueFor(Modest, $"a{i}");
        EnqueueFor(Modest, "b0", "other.example.com");
        EnqueueFor(Modest, "b1", "other.example.com");
        var registries = new List<string>();
        for (var i = 0; i < 4; i++)
        {
            var job = Take();
            registries.Add(job.Work.Origin.Registry.Text);
            Queue.Succeeded(job);
        }
        Assert.That(registries.Count(name => name == "other.example.com"), Is.EqualTo(2));
    }

    [Test]
    public void Awaited_jobs_go_first_within_their_namespace_only()
    {
        Options = Options with { MaxNumberOfParallelJobs = 1, QueueLimit = 100 };
        var awaited = Enumerable.Range(0, 4).Select(i => Queue.Prioritize(EnqueueFor(Greedy, $"g{i}").Job!)).ToList();
        EnqueueFor(Modest, "m0");
        Assert.That(Order(3), Is.EqualTo([Greedy, Modest, Greedy]));
        awaited.ForEach(waiter => waiter.Dispose());
    }

    [Test]
    public async Task A_full_queue_accepts_an_image_of_a_namespace_with_fewer_jobs()
    {
        var jobs = Enumerable.Range(0, 5).Select(i => EnqueueFor(Greedy, $"g{i}").Job!).ToList();
        Assert.That((EnqueueFor(Greedy, "g5").Outcome, Queue.HasRoomFor(Greedy)), Is.EqualTo((EnqueueOutcome.Dropped, false)));
        Assert.That(Queue.HasRoomFor(Modest), Is.True);
        var result = EnqueueFor(Modest, "m0");
        Assert.That((result.Outcome, result.Displaced), Is.EqualTo((EnqueueOutcome.Queued, jobs[4])), "the youngest gives way");
        Assert.That((await jobs[4].Completion, jobs[4].IsDisplaced, Queue.WaitingCount), Is.EqualTo((false, true, 5)));
        Assert.That(
            (EnqueueFor(Modest, "m1").Outcome, EnqueueFor(Modest, "m2").Outcome),
            Is.EqualTo((EnqueueOutcome.Queued, EnqueueOutcome.Dropped))
        );
    }

    [Test]
    public void An_image_that_several_namespaces_wait_for_is_not_displaced()
    {
        for (var i = 0; i < 5; i++)
            EnqueueFor(Greedy, $"g{i}");
        EnqueueFor(Modest, "g4");
        Assert.That(EnqueueFor("third", "t0").Displaced!.Work.Origin.Repository, Is.EqualTo("g3"));
    }

    [Test]
    public void A_tenant_with_two_namespaces_that_need_the_same_images_does_not_fill_the_queue_for_others()
    {
        foreach (var name in new[] { Greedy, "greedy-too" })
            for (var i = 0; i < 5; i++)
                EnqueueFor(name, $"g{i}");
        EnqueueFor(Modest, "g4");
        Assert.That(Queue.HasRoomFor("third"), Is.True);
        var first = EnqueueFor("third", "t0");
        Assert.That(first.Outcome, Is.EqualTo(EnqueueOutcome.Queued));
        Assert.That(first.Displaced!.Work.Origin.Repository, Is.EqualTo("g3"), "a modest namespace needs the newest");
        Assert.That(EnqueueFor("third", "t1").Displaced!.Work.Origin.Repository, Is.EqualTo("g2"));
        Assert.That(EnqueueFor("third", "t2").Outcome, Is.EqualTo(EnqueueOutcome.Dropped), "it would have as many as the largest");
    }

    [Test]
    public void Of_images_that_the_same_namespaces_need_one_that_nobody_waits_for_gives_way()
    {
        foreach (var name in new[] { Greedy, "greedy-too" })
            for (var i = 0; i < 5; i++)
                EnqueueFor(name, $"g{i}");
        using var waiter = Queue.Prioritize(Running("g4"));
        Assert.That(EnqueueFor("third", "t0").Displaced!.Work.Origin.Repository, Is.EqualTo("g3"));
    }

    [Test]
    public void The_room_for_images_between_two_attempts_is_shared_the_same_way()
    {
        Options = Options with { MaxNumberOfParallelJobs = 1 };
        for (var i = 0; i < 5; i++)
        {
            EnqueueFor(Greedy, $"g{i}");
            Assert.That(Queue.Failed(Take(), Transient), Is.Empty);
        }
        EnqueueFor(Modest, "m0");
        var modest = Take();
        var givenUp = Queue.Failed(modest, Transient);
        Assert.That((givenUp.Single().Owner, modest.Completion.IsCompleted), Is.EqualTo((Greedy, false)));
        Assert.That(givenUp.Single().IsDisplaced, Is.True, "a gated Pod waits for another chance");
    }

    [Test]
    public void An_image_that_two_namespaces_wait_for_comes_at_the_first_turn_of_either()
    {
        Options = Options with { MaxNumberOfParallelJobs = 1, QueueLimit = 100 };
        for (var i = 0; i < 10; i++)
            EnqueueFor(Greedy, $"g{i}");
        Queue.Succeeded(Take());
        EnqueueFor(Modest, "g9");
        Assert.That(Take().Work.Origin.Repository, Is.EqualTo("g9"));
    }

    [Test]
    public void A_slow_image_is_preempted_once_for_a_namespace_without_a_worker()
    {
        OccupyAllButTwo();
        EnqueueFor(Greedy, "slow0");
        EnqueueFor(Greedy, "slow1");
        var (first, second) = (Take(), Take());
        using var firstStop = new CancellationTokenSource();
        using var secondStop = new CancellationTokenSource();
        using var one = Queue.AllowPreemption(first, firstStop);
        using var two = Queue.AllowPreemption(second, secondStop);
        EnqueueFor(Modest, "m0");
        Time.Advance(PaceTracker.BaseTime - TimeSpan.FromSeconds(1));
        Assert.That((TryTake(), secondStop.IsCancellationRequested), Is.EqualTo(((PopulationJob?)null, false)));
        Time.Advance(TimeSpan.FromSeconds(1));
        Assert.That((TryTake(), firstStop.IsCancellationRequested), Is.EqualTo(((PopulationJob?)null, false)), "one is enough");
        Assert.That(() => secondStop.IsCancellationRequested, Is.True.After(5000, 10));
        Queue.Requeue(second);
        var modest = Take();
        Assert.That(modest.Tenant, Is.EqualTo(Modest));
        Queue.Succeeded(modest);
        Assert.That(TryTake(), Is.Null, "those of a namespace that was slow of late leave the last worker to others");
        Time.Advance(TimeSpan.FromMinutes(1));
        EnqueueFor(Modest, "m1");
        Assert.That(Take().Tenant, Is.EqualTo(Modest));
    }

    [Test]
    public void An_image_that_makes_progress_is_not_slow_however_long_it_takes()
    {
        OccupyAllButTwo();
        EnqueueFor(Greedy, "steady0");
        EnqueueFor(Greedy, "steady1");
        var (first, second) = (Take(), Take());
        using var stop = new CancellationTokenSource();
        using var one = Queue.AllowPreemption(first, stop);
        using var two = Queue.AllowPreemption(second, stop);
        EnqueueFor(Modest, "m0");
        foreach (var job in new[] { first, second })
            Queue.ReportBytes(job, 120 * PaceTracker.MinimumRate, 200 * PaceTracker.MinimumRate);
        Time.Advance(TimeSpan.FromMinutes(2));
        Assert.That((TryTake(), stop.IsCancellationRequested), Is.EqualTo(((PopulationJob?)null, false)));
    }

    [Test]
    public void Pods_of_one_namespace_do_not_keep_the_secrets_of_another_from_being_tried()
    {
        var job = EnqueueFor(Greedy, "shared").Job!;
        for (var i = 0; i < 20; i++)
            Queue.TryEnqueue(Copy("shared", "up.example.com"), Pod with { Namespace = Greedy, PullSecrets = [$"s{i}"] });
        Queue.TryEnqueue(Copy("shared", "up.example.com"), Pod with { Namespace = Modest, PullSecrets = ["mine"] });
        Assert.That(job.Origins.Select(origin => origin.Namespace).ToList(), Has.Member(Modest).And.Count.EqualTo(8));
    }

    /// <summary>Six workers, four of them with an image of a namespace each.</summary>
    private void OccupyAllButTwo()
    {
        Options = Options with { MaxNumberOfParallelJobs = 6 };
        for (var i = 0; i < 4; i++)
        {
            EnqueueFor($"busy{i}", $"busy{i}");
            Take();
        }
    }

    /// <summary>The namespaces of the next jobs, one after the other.</summary>
    private List<string> Order(int count)
    {
        var order = new List<string>();
        for (var i = 0; i < count; i++)
        {
            var job = Take();
            order.Add(job.Tenant);
            Queue.Succeeded(job);
        }
        return order;
    }
}
