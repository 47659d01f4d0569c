using ProxySwapper.Registry.Timing;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Registry.Timing;

[TestFixture]
internal sealed class SteadyClockTests
{
    [TestCase(-24)]
    [TestCase(24)]
    public void A_correction_does_not_move_it_and_is_in_what_is_shown(int hours)
    {
        var time = new ManualTimeProvider();
        var (clock, start) = (new SteadyClock(time), time.GetUtcNow());
        time.Advance(TimeSpan.FromMinutes(1));
        time.Correction = TimeSpan.FromHours(hours);
        Assert.That(clock.UtcNow, Is.EqualTo(start + TimeSpan.FromMinutes(1)));
        Assert.That(clock.ToSystemTime(start), Is.EqualTo(start + TimeSpan.FromHours(hours)));
        Assert.That(clock.ToSystemTime(clock.UtcNow), Is.EqualTo(time.GetUtcNow()));
    }

    [Test]
    public void What_only_comes_from_reading_two_clocks_changes_no_time()
    {
        var time = new ManualTimeProvider();
        var (clock, start) = (new SteadyClock(time), time.GetUtcNow());
        time.Correction = TimeSpan.FromMilliseconds(-3);
        Assert.That(clock.ToSystemTime(start), Is.EqualTo(start));
    }

    [Test]
    public void Times_that_do_not_exist_are_cut()
    {
        var time = new ManualTimeProvider();
        var clock = new SteadyClock(time);
        time.Correction = TimeSpan.FromHours(-1);
        Assert.That(clock.ToSystemTime(DateTimeOffset.MinValue), Is.EqualTo(DateTimeOffset.MinValue));
        time.Correction = TimeSpan.FromHours(1);
        Assert.That(clock.ToSystemTime(DateTimeOffset.MaxValue), Is.EqualTo(DateTimeOffset.MaxValue));
    }
}
