using ProxySwapper.Population.Queue;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Population.Queue;

[TestFixture]
internal sealed class AsyncSignalTests
{
    [Test]
    public async Task A_time_that_no_timer_reaches_is_waited_for_like_any_other()
    {
        var time = new ManualTimeProvider();
        var signal = new AsyncSignal(time);
        var waiting = signal.WaitAsync(signal.Next, DateTimeOffset.MaxValue, default);
        Assert.That(waiting.IsCompleted, Is.False);
        signal.Raise();
        await waiting;
    }
}
