using Microsoft.Extensions.Time.Testing;
using ProxySwapper.Population.Queue;

namespace ProxySwapper.Tests.Population.Queue;

[TestFixture]
internal sealed class ImagePresenceCacheTests
{
    [Test]
    public void What_was_not_asked_for_longest_is_forgotten_first()
    {
        var known = new ImagePresenceCache(new FakeTimeProvider(), capacity: 2);
        known.Remember("a", null);
        known.Remember("b", null);
        known.IsKnown("a");
        known.Remember("c", null);
        Assert.That((known.IsKnown("a"), known.IsKnown("b"), known.IsKnown("c"), known.Count), Is.EqualTo((true, false, true, 2)));
    }

    [Test]
    public void What_is_known_for_ever_can_still_be_too_old_for_one_who_asks()
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
    public void Nothing_is_remembered_for_no_time()
    {
        var known = new ImagePresenceCache(new FakeTimeProvider());
        known.Remember("a", TimeSpan.Zero);
        Assert.That(known.Count, Is.Zero);
    }
}
