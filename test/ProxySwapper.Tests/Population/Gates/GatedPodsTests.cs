using ProxySwapper.Configuration;
using ProxySwapper.Population.Gates;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Population.Gates;

/// <summary>Every way in which a gated Pod is released, with a clock that the test moves.</summary>
[TestFixture]
internal sealed class GatedPodsTests : GatedPodsFixture
{
    [Test]
    public async Task A_pod_whose_image_is_known_is_released_without_waiting()
    {
        await using var replica = await StartAsync();
        replica.Arrive(Target);
        replica.See(await CreateAsync());
        await LiftedAsync();
        await replica.ReleasedAsync();
        Assert.That((ImageOf("app"), replica.Released.Single()), Is.EqualTo((Target, ("released", 0.0))));
    }

    [Test]
    public async Task A_pod_is_released_when_its_image_was_copied_and_not_a_second_earlier()
    {
        await using var replica = await StartAsync();
        replica.See(await CreateAsync());
        await AdvanceAsync(Deadline - Second);
        Assert.That((GatesOf("app").Count, Patches), Is.EqualTo((1, 0)));
        replica.Arrive(Target);
        await LiftedAsync();
        await replica.ReleasedAsync();
        Assert.That((ImageOf("app"), replica.Released.Single(), replica.Restored), Is.EqualTo((Target, ("released", 59.0), 0L)));
    }

    [Test]
    public async Task A_pod_with_two_images_waits_for_both()
    {
        await using var replica = await StartAsync();
        replica.See(await CreateAsync("app", (Original, Target), ("busybox", "down.example.com/busybox:1")));
        replica.Arrive(Target);
        await AdvanceAsync(Second);
        Assert.That(GatesOf("app"), Has.Count.EqualTo(1));
        replica.Arrive("down.example.com/busybox:1");
        await LiftedAsync();
    }

    [Test]
    public async Task A_pod_whose_image_was_given_up_is_released_at_once_with_its_original_and_the_reason()
    {
        await using var replica = await StartAsync();
        replica.See(await CreateAsync());
        await AdvanceAsync(Second);
        replica.GiveUp(Target, "not found (HTTP 404)");
        await LiftedAsync();
        await replica.ReleasedAsync();
        Assert.That((ImageOf("app"), replica.Released.Single(), replica.Restored), Is.EqualTo((Original, ("restored", 1.0), 1L)));
        Assert.That(
            (string?)Pod("app")["metadata"]!["annotations"]![GatedPodSamples.LeftOriginal],
            Is.EqualTo($"{Target}: not found (HTTP 404)")
        );
        await TestWait.UntilAsync(() => EventsOf("ImageLeftOriginal").Count == 1, "the Event");
        Assert.That((string?)EventsOf("ImageLeftOriginal")[0]["regarding"]!["name"], Is.EqualTo("app"));
    }

    [Test]
    public async Task A_pod_is_released_at_the_deadline_with_the_originals_of_missing_images()
    {
        await using var replica = await StartAsync();
        replica.See(await CreateAsync("app", (Original, Target), ("busybox", "down.example.com/busybox:1")));
        replica.Arrive(Target);
        await AdvanceAsync(Deadline - Second);
        Assert.That((GatesOf("app").Count, Patches), Is.EqualTo((1, 0)));
        await AdvanceAsync(Second);
        await LiftedAsync();
        Assert.That(GatedPodSamples.ImagesOf(Pod("app")), Is.EqualTo([Target, "busybox"]));
        Assert.That(
            (string?)Pod("app")["metadata"]!["annotations"]![GatedPodSamples.LeftOriginal],
            Is.EqualTo("down.example.com/busybox:1 is not downstream after 60 s")
        );
    }

    [Test]
    public async Task With_keep_a_pod_is_released_at_the_deadline_with_its_current_images()
    {
        await using var replica = await StartAsync(new() { OnFailure = GateFailurePolicy.Keep });
        replica.See(await CreateAsync());
        await AdvanceAsync(Deadline);
        await LiftedAsync();
        await replica.ReleasedAsync();
        Assert.That((ImageOf("app"), replica.Released.Single()), Is.EqualTo((Target, ("kept", 60.0))));
        await TestWait.UntilAsync(() => EventsOf("ImageNotDownstream").Count == 1, "the Event");
    }

    [Test]
    public async Task A_released_pod_names_the_digest_if_configured()
    {
        await using var replica = await StartAsync(new() { PinDigests = true });
        replica.Known.Remember(Target, TimeSpan.FromHours(1), "sha256:abc");
        replica.Arrive(Target);
        replica.See(await CreateAsync());
        await LiftedAsync();
        Assert.That(ImageOf("app"), Is.EqualTo($"{Target}@sha256:abc"));
    }

    [Test]
    public async Task Pods_of_a_namespace_whose_patches_hang_delay_the_release_of_no_other_pod()
    {
        var end = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Delay = () => end.Task;
        await using var replica = await StartAsync();
        replica.Arrive(Target);
        for (var index = 0; index < 40; index++)
            replica.See(await CreateInAsync("hostile", $"app-{index}"));
        await TestWait.UntilAsync(() => Patches == 12, "as many patches as one namespace may have");
        replica.See(await CreateAsync());
        await LiftedAsync();
        end.SetResult();
        await TestWait.UntilAsync(() => replica.Pods.Count == 0, "the release of the others");
    }

    [TestCase(-1)]
    [TestCase(-24)]
    [TestCase(1)]
    public async Task A_pod_is_released_at_the_deadline_whatever_our_clock_is_corrected_to(int hours)
    {
        await using var replica = await StartAsync();
        replica.See(await CreateAsync());
        await AdvanceAsync(Second);
        Time.Correction = TimeSpan.FromHours(hours);
        await AdvanceAsync(Deadline - 2 * Second);
        Assert.That((GatesOf("app").Count, Patches), Is.EqualTo((1, 0)));
        await AdvanceAsync(Second);
        await LiftedAsync();
        await replica.ReleasedAsync();
        Assert.That((ImageOf("app"), replica.Released.Single()), Is.EqualTo((Original, ("restored", 60.0))));
    }

    [Test]
    public async Task A_reload_changes_the_deadline_of_pods_that_wait()
    {
        await using var replica = await StartAsync();
        replica.See(await CreateAsync());
        await AdvanceAsync(10 * Second);
        await Time.WaitForTimerAsync(GatedPods.ReloadInterval);
        replica.Apply(new() { Deadline = 5 * Second }, Time);
        await Time.FireAsync(GatedPods.ReloadInterval);
        await LiftedAsync();
        await replica.ReleasedAsync();
        Assert.That(replica.Released.Single(), Is.EqualTo(("restored", 15.0)));
    }
}
