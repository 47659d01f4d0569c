using Microsoft.Extensions.Time.Testing;
using ProxySwapper.Population.Queue;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Population.Queue;

[TestFixture]
internal sealed class ImagePresenceCacheTests
{
    [Test]
    public void The_least_recently_used_entry_is_forgotten_first()
    {
        var known = new ImagePresenceCache(new FakeTimeProvider(), capacity: 2);
        known.Remember("a", null);
        known.Remember("b", null);
        known.IsKnown("a");
        known.Remember("c", null);
        Assert.That((known.IsKnown("a"), known.IsKnown("b"), known.IsKnown("c"), known.Count), Is.EqualTo((true, false, true, 2)));
    }

    [Test]
    public void A_permanent_entry_can_still_be_too_old_for_a_caller()
    {
        var time = new FakeTimeProvider();
        var known = new ImagePresenceCache(time);
        known.Remember("a", null);
        time.Advance(TimeSpan.FromHours(1));
        Assert.That(
            (known.IsKnownWithin("a", TimeSpan.FromHours(1)), known.IsKnownWithin("a", TimeSpan.FromHours(2)), known.IsKnown("a")),
            Is.EqualTo((false, true, true))
        );
    }

    [Test]
    public void A_clock_that_is_corrected_makes_no_entry_last_longer()
    {
        var time = new ManualTimeProvider();
        var known = new ImagePresenceCache(time);
        known.Remember("a", TimeSpan.FromMinutes(5));
        time.Correction = TimeSpan.FromHours(-1);
        time.Advance(TimeSpan.FromMinutes(4));
        Assert.That(known.IsKnown("a"), Is.True);
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.That(known.IsKnown("a"), Is.False);
    }

    [Test]
    public void With_a_lifetime_of_zero_nothing_is_remembered()
    {
        var known = new ImagePresenceCache(new FakeTimeProvider());
        known.Remember("a", TimeSpan.Zero);
        Assert.That(known.Count, Is.Zero);
    }
}
