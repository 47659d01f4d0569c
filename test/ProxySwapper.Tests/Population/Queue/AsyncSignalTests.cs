using ProxySwapper.Population.Queue;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Population.Queue;

[TestFixture]
internal sealed class AsyncSignalTests
{
    [Test]
    public async Task A_pause_beyond_the_range_of_timers_can_be_awaited()
    {
        var time = new ManualTimeProvider();
        var signal = new AsyncSignal(time);
        var waiting = signal.WaitAsync(signal.Next, TimeSpan.MaxValue, default);
        Assert.That(waiting.IsCompleted, Is.False);
        signal.Raise();
        await waiting;
    }
}
