using Microsoft.Extensions.Time.Testing;

namespace ProxySwapper.Testing.Time;

/// <summary>
/// A clock that a test moves. Code that has to wait does so on another thread and a little later, so a test first waits for the
/// very timer that it wants to fire: one that is set after the clock was moved would never fire.
/// </summary>
internal sealed class ManualTimeProvider() : FakeTimeProvider(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero))
{
    private readonly Lock _gate = new();
    private readonly HashSet<PendingTimer> _pending = [];
    private long _changes;

    /// <summary>By how much the time of day was corrected, which neither timers nor timestamps notice.</summary>
    public TimeSpan Correction { get; set; }

    /// <inheritdoc />
    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Correction;

    /// <inheritdoc />
    public override long GetTimestamp() => base.GetUtcNow().Ticks;

    /// <summary>Waits until timers are pending that fire exactly this long from now.</summary>
    /// <param name="rest">The time until they fire.</param>
    /// <param name="count">How many, at least.</param>
    public Task WaitForTimerAsync(TimeSpan rest, int count = 1) => WaitForTimerAsync(left => left == rest, $"in {rest}", count);

    /// <summary>Waits until a timer is pending that fires within this time.</summary>
    public Task WaitForTimerWithinAsync(TimeSpan longest) => WaitForTimerAsync(left => left <= longest, $"within {longest}", 1);

    /// <summary>Waits for a timer that fires exactly this long from now, and fires it.</summary>
    public async Task FireAsync(TimeSpan rest)
    {
        await WaitForTimerAsync(rest);
        Advance(rest);
    }

    /// <inheritdoc />
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new PendingTimer(this, callback, state);
        timer.Inner = base.CreateTimer(
            static timer => ((PendingTimer)timer!).Run(),
            timer,
            Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan
        );
        timer.Change(dueTime, period);
        return timer;
    }

    private DateTimeOffset Uncorrected => base.GetUtcNow();

    private async Task WaitForTimerAsync(Func<TimeSpan, bool> fits, string when, int count)
    {
        var settled = -1L;
        try
        {
            // Twice in a row, with no timer set in between: code that something else has just woken may be about to replace its timer.
            await TestWait.UntilAsync(() =>
            {
                lock (_gate)
                {
                    var isSettled = settled == _changes;
                    settled = _pending.Count(timer => fits(timer.Due - Uncorrected)) >= count ? _changes : -1;
                    return isSettled && settled >= 0;
                }
            });
        }
        catch (TimeoutException problem)
        {
            throw new TimeoutException($"No timer was set that fires {when}; pending: {Describe()}.", problem);
        }
    }

    private string Describe()
    {
        lock (_gate)
            return string.Join(", ", _pending.Select(timer => timer.Due - Uncorrected).Order());
    }

    /// <summary>Records when a timer fires next, if it does.</summary>
    /// <param name="timer">The timer.</param>
    /// <param name="due">When it fires; null if it does not.</param>
    /// <param name="setting">Only if the timer has not been set, fired or disposed of since; null in any case.</param>
    /// <returns>The number of this setting.</returns>
    private int Set(PendingTimer timer, DateTimeOffset? due, int? setting = null)
    {
        lock (_gate)
        {
            if (setting is { } expected && expected != timer.Setting)
                return timer.Setting;
            _changes++;
            if (due is { } time)
                timer.Due = time;
            _ = due is null ? _pending.Remove(timer) : _pending.Add(timer);
            return ++timer.Setting;
        }
    }

    private sealed class PendingTimer(ManualTimeProvider clock, TimerCallback callback, object? state) : ITimer
    {
        private TimeSpan _period;

        public ITimer Inner { get; set; } = null!;

        public DateTimeOffset Due { get; set; }

        /// <summary>How often it was set, fired or disposed of.</summary>
        public int Setting { get; set; }

        public void Run()
        {
            clock.Set(this, _period > TimeSpan.Zero ? Due + _period : null);
            callback(state);
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            _period = period;
            var setting = clock.Set(this, null);
            if (dueTime == Timeout.InfiniteTimeSpan)
                return Inner.Change(dueTime, period);
            var due = clock.Uncorrected + dueTime;
            Due = due;
            var isChanged = Inner.Change(dueTime, period);
            // Only now: a test that sees it may move the clock at once.
            clock.Set(this, due, setting);
            return isChanged;
        }

        public void Dispose()
        {
            clock.Set(this, null);
            Inner.Dispose();
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
