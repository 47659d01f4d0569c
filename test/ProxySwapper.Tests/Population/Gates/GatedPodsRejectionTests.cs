using System.Text.Json.Nodes;
using ProxySwapper.Kubernetes;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Population.Gates;

/// <summary>Rejected releases, other replicas and restarts, with a clock that the test moves.</summary>
[TestFixture]
internal sealed class GatedPodsRejectionTests : GatedPodsFixture
{
    // Admission webhooks reject with 400 by default.
    [TestCase(400)]
    [TestCase(403)]
    [TestCase(406)]
    [TestCase(422)]
    public async Task If_the_original_is_rejected_the_pod_is_released_with_its_current_image(int status)
    {
        await using var replica = await StartAsync();
        Rejection = body => body.Contains("\"replace\"", StringComparison.Ordinal) ? status : null;
        replica.See(await CreateAsync());
        await AdvanceAsync(Deadline);
        await LiftedAsync();
        await replica.ReleasedAsync();
        Assert.That((ImageOf("app"), replica.Released.Single(), replica.Restored), Is.EqualTo((Target, ("kept", 60.0), 0L)));
    }

    [Test]
    public async Task An_internal_error_that_only_the_original_causes_costs_the_original_after_three_tries()
    {
        await using var replica = await StartAsync();
        var tries = 0;
        Rejection = body => body.Contains("\"replace\"", StringComparison.Ordinal) && ++tries > 0 ? 500 : null;
        replica.See(await CreateAsync());
        await AdvanceAsync(Deadline);
        for (var round = 1; round <= 3; round++)
        {
            await TestWait.UntilAsync(() => IsPausing(replica, round), $"try {round}");
            await AdvanceAsync(replica.Pods.Snapshot().Single().NextTry - Time.GetUtcNow());
        }
        await LiftedAsync();
        await replica.ReleasedAsync();
        Assert.That((ImageOf("app"), replica.Released.Single().Result, tries), Is.EqualTo((Target, "kept", 4)));
    }

    [Test]
    public async Task The_log_says_when_the_next_attempt_is_by_the_clock_as_it_is_set_now()
    {
        await using var replica = await StartAsync();
        Rejection = _ => 500;
        replica.See(await CreateAsync());
        Time.Correction = TimeSpan.FromHours(-3);
        await AdvanceAsync(Deadline);
        await TestWait.UntilAsync(() => IsPausing(replica, 1), "the first attempt");
        Assert.That(replica.Log.Text, Does.Contain("Cannot release Pod team/app, next attempt at 2025-12-31 21:01:"));
    }

    [Test]
    public async Task A_conflict_with_somebody_elses_change_is_retried_at_once()
    {
        var conflicts = 2;
        await using var replica = await StartAsync();
        Rejection = body => body.Length > 2 && conflicts-- > 0 ? 409 : null;
        replica.See(await CreateAsync());
        await AdvanceAsync(Deadline);
        await LiftedAsync();
        await replica.ReleasedAsync();
        Assert.That((ImageOf("app"), replica.Released.Single()), Is.EqualTo((Original, ("restored", 60.0))));
    }

    [Test]
    public async Task A_pod_that_was_deleted_meanwhile_is_forgotten_and_not_counted()
    {
        await using var replica = await StartAsync();
        replica.See(await CreateAsync());
        await new ResourceClient(Client, ResourceType.Pods).DeleteAsync("team", "app", null, default);
        replica.Arrive(Target);
        await TestWait.UntilAsync(() => replica.Pods.Count == 0);
        Assert.That((replica.Released.IsEmpty, Patches), Is.EqualTo((true, 1)));
    }

    [TestCase(403)]
    [TestCase(409)]
    [TestCase(500)]
    [TestCase(503)]
    public async Task An_api_server_that_rejects_the_release_is_called_again_after_pauses_that_grow_to_half_a_minute(int status)
    {
        await using var replica = await StartAsync();
        var tries = 0;
        // A conflict is retried five times before a pause.
        Rejection = body => body.Length > 2 && ++tries > 0 ? status : null;
        replica.See(await CreateAsync());
        replica.Arrive(Target);
        var perRound = status == 409 ? 5 : 1;
        // At most 1.5 times the doubled second, and never more than 30 s.
        foreach (var (round, pause) in new[] { 1.25, 2.5, 5, 10, 20, 30, 30, 30 }.Index())
        {
            await TriedAsync(round + 1);
            var next = replica.Pods.Snapshot().Single().NextTry - Time.GetUtcNow();
            Assert.That(next.TotalSeconds, Is.InRange(Math.Min(pause * 0.6 - 0.01, 24), pause + 0.01));
            Time.Advance(next - TimeSpan.FromMilliseconds(1));
            Assert.That(tries, Is.EqualTo((round + 1) * perRound), "before its time");
            Time.Advance(TimeSpan.FromMilliseconds(1));
        }
        await TriedAsync(9);
        Assert.That(GatesOf("app"), Has.Count.EqualTo(1));
        Assert.That(replica.Log.Text, Does.Contain("Cannot release Pod team/app, next attempt at"));
        Rejection = _ => null;
        await AdvanceAsync(TimeSpan.FromSeconds(30));
        await LiftedAsync();
        Assert.That(ImageOf("app"), Is.EqualTo(Target));

        Task TriedAsync(int rounds) =>
            TestWait.UntilAsync(
                () =>
                {
                    // A timer that is set while the clock moves counts from then on.
                    if (tries < rounds * perRound)
                        Time.Advance(TimeSpan.FromMilliseconds(1));
                    return tries == rounds * perRound && IsPausing(replica, rounds);
                },
                $"try {rounds}"
            );
    }

    [Test]
    public async Task An_unexpected_response_is_retried_after_a_pause_too()
    {
        await using var replica = await StartAsync();
        Rejection = body => body.Length > 2 ? 422 : 200;
        replica.See(await CreateAsync());
        replica.Arrive(Target);
        await TestWait.UntilAsync(() => IsPausing(replica, 1), "the first try's end");
        var patches = Patches;
        Rejection = _ => null;
        Assert.That(patches, Is.EqualTo(2));
        await AdvanceAsync(2 * Second);
        await LiftedAsync();
    }

    [Test]
    public async Task A_fault_of_the_program_keeps_no_pod_waiting()
    {
        await using var replica = await StartAsync();
        replica.See(await CreateAsync());
        replica.Break(Target);
        await LiftedAsync();
        Assert.That(ImageOf("app"), Is.EqualTo(Original));
    }

    [Test]
    public async Task Of_two_replicas_that_lift_one_gate_one_counts_it()
    {
        await using var one = await StartAsync();
        await using var two = await StartAsync(name: "replica-2");
        var pod = await CreateAsync();
        one.See(pod);
        two.See(pod);
        await AdvanceAsync(Deadline);
        await LiftedAsync();
        await TestWait.UntilAsync(() => one.Pods.Count + two.Pods.Count == 0);
        Assert.That(one.Released.Concat(two.Released), Is.EqualTo([("restored", 60.0)]));
        Assert.That((ImageOf("app"), one.Restored + two.Restored), Is.EqualTo((Original, 1L)));
    }

    [Test]
    public async Task A_late_replica_does_not_change_the_image_of_a_running_pod()
    {
        await using var one = await StartAsync();
        await using var two = await StartAsync(name: "replica-2");
        var pod = await CreateAsync();
        one.See(pod);
        one.Arrive(Target);
        await LiftedAsync();
        // It has not seen that, since its watch is behind.
        two.See(pod);
        await AdvanceAsync(Deadline);
        await TestWait.UntilAsync(() => two.Pods.Count == 0);
        Assert.That((ImageOf("app"), two.Released.IsEmpty), Is.EqualTo((Target, true)));
    }

    [Test]
    public async Task After_a_restart_a_pod_that_is_found_by_the_label_waits_for_the_rest_of_its_time()
    {
        JsonObject pod;
        await using (var first = await StartAsync())
        {
            first.See(pod = await CreateAsync());
            await AdvanceAsync(40 * Second);
        }
        Assert.That((GatesOf("app").Count, Patches), Is.EqualTo((1, 0)));
        await using var next = await StartAsync();
        next.See(pod, wasListed: true);
        await AdvanceAsync(19 * Second);
        Assert.That(GatesOf("app"), Has.Count.EqualTo(1));
        await AdvanceAsync(Second);
        await LiftedAsync();
        await next.ReleasedAsync();
        Assert.That((ImageOf("app"), next.Released.Single()), Is.EqualTo((Original, ("restored", 60.0))));
    }

    [Test]
    public async Task A_restart_during_a_pause_retries_at_once()
    {
        JsonObject pod;
        await using (var first = await StartAsync())
        {
            Rejection = _ => 500;
            first.See(pod = await CreateAsync());
            first.Arrive(Target);
            await TestWait.UntilAsync(() => IsPausing(first, 1));
        }
        Rejection = _ => null;
        await using var next = await StartAsync();
        next.Arrive(Target);
        next.See(pod, wasListed: true);
        await LiftedAsync();
    }

    [Test]
    public async Task A_pod_that_is_no_longer_in_a_list_is_forgotten()
    {
        await using var replica = await StartAsync();
        replica.See(await CreateAsync());
        replica.Pods.Keep(new HashSet<string>(), hasLabel: true);
        Assert.That(replica.Pods.Count, Is.Zero);
        Time.Advance(Deadline);
        await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
        Assert.That((GatesOf("app").Count, Patches), Is.EqualTo((1, 0)), "it is somebody else's, or gone");
    }

    [Test]
    public async Task A_pod_that_lost_our_label_is_released_although_a_list_by_the_label_does_not_show_it()
    {
        await using var replica = await StartAsync();
        var pod = await CreateAsync();
        replica.See(pod);
        pod["metadata"]!["labels"]!.AsObject().Remove(GatedPodSamples.Label);
        replica.See(pod);
        var uid = (string)pod["metadata"]!["uid"]!;
        replica.Pods.Forget(uid, hasLabel: true);
        replica.Pods.Keep(new HashSet<string>(), hasLabel: true);
        Assert.That(replica.Pods.Count, Is.EqualTo(1));
        replica.Pods.Keep(new HashSet<string> { uid }, hasLabel: false);
        replica.Arrive(Target);
        await TestWait.UntilAsync(() => replica.Pods.Count == 0, "the release");
        replica.See(pod);
        replica.Pods.Forget(uid, hasLabel: false);
        Assert.That(replica.Pods.Count, Is.Zero);
    }
}
