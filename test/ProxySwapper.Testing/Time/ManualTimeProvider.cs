using Microsoft.Extensions.Time.Testing;

namespace ProxySwapper.Testing.Time;

/// <summary>A clock that a test moves; it counts its timers, so that a test can wait until something waits for the clock.</summary>
internal sealed class ManualTimeProvider() : FakeTimeProvider(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero))
{
    private readonly Lock _gate = new();
    private readonly HashSet<CountedTimer> _waiting = [];

    /// <summary>The number of pending timers.</summary>
    public int Waiting
    {
        get
        {
            lock (_gate)
                return _waiting.Count;
        }
    }

    /// <inheritdoc />
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new CountedTimer(this, callback, state);
        timer.Inner = base.CreateTimer(
            static timer => ((CountedTimer)timer!).Run(),
            timer,
            Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan
        );
        timer.Change(dueTime, period);
        return timer;
    }

    private void Count(CountedTimer timer, bool isWaiting)
    {
        lock (_gate)
            _ = isWaiting ? _waiting.Add(timer) : _waiting.Remove(timer);
    }

    private sealed class CountedTimer(ManualTimeProvider clock, TimerCallback callback, object? state) : ITimer
    {
        private bool _isPeriodic;

        public ITimer Inner { get; set; } = null!;

        public void Run()
        {
            if (!_isPeriodic)
                clock.Count(this, false);
            callback(state);
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            _isPeriodic = period > TimeSpan.Zero;
            clock.Count(this, dueTime != Timeout.InfiniteTimeSpan);
            return Inner.Change(dueTime, period);
        }

        public void Dispose()
        {
            clock.Count(this, false);
            Inner.Dispose();
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
