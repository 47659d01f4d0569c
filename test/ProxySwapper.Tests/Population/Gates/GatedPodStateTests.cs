using ProxySwapper.Population.Gates;

namespace ProxySwapper.Tests.Population.Gates;

/// <summary>The state of the images of one gated Pod.</summary>
[TestFixture]
internal sealed class GatedPodStateTests
{
    private static readonly GatedImage One = new("/spec/containers/0/image", "down.example.com/one:1", "one:1", "original/one");
    private static readonly GatedImage Two = new("/spec/containers/1/image", "down.example.com/two:1", "two:1", "original/two");
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    [Test]
    public void A_pod_whose_images_nobody_has_requested_yet_is_not_settled()
    {
        // The loop that releases Pods may see it as soon as it is there.
        using var state = StateOf(One);
        Assert.That(state.IsSettled, Is.False);
        Assert.That(state.Update(state.Pod), Is.EqualTo([One]));
        Assert.That(state.IsSettled, Is.False);
        state.Arrived(One.Image);
        Assert.That((state.IsSettled, state.Describe(Deadline)), Is.EqualTo((true, (string?)null)));
    }

    [Test]
    public void An_image_that_the_pod_has_no_longer_is_neither_waited_for_nor_reported_as_missing()
    {
        using var state = StateOf(One);
        state.Update(PodOf(One));
        Assert.That(state.Update(PodOf(Two)), Is.EqualTo([Two]));
        state.Arrived(Two.Image);
        Assert.That(state.IsSettled, Is.True);
        state.Failed(One.Image, "not found");
        Assert.That(state.Describe(Deadline), Is.Null);
    }

    [Test]
    public void An_error_of_an_image_that_the_pod_has_no_longer_does_not_count()
    {
        using var state = StateOf(One);
        state.Update(PodOf(One));
        state.Failed(One.Image, "not found");
        Assert.That(state.Describe(Deadline), Is.EqualTo($"{One.Image}: not found"));
        state.Update(PodOf(Two));
        state.Arrived(Two.Image);
        Assert.That(state.Describe(Deadline), Is.Null);
    }

    private static GatedPodState StateOf(params GatedImage[] images) => new(PodOf(images), DateTimeOffset.UnixEpoch, createdAt: null);

    private static GatedPod PodOf(params GatedImage[] images) =>
        new()
        {
            Namespace = "team",
            Name = "app",
            Uid = "u",
            CreatedAt = DateTimeOffset.UnixEpoch,
            GateIndex = 0,
            HasLabel = true,
            Images = images,
        };
}
