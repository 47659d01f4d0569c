namespace ProxySwapper.Testing.Time;

/// <summary>
/// A clock that skips short waits: a wait shorter than <paramref name="longest"/> ends at once, and the clock advances by as much. Longer
/// waits, such as timeouts, only end when a test moves the clock.
/// </summary>
internal sealed class SkippingTimeProvider(TimeSpan longest) : TimeProvider
{
    private readonly ManualTimeProvider _clock = new();
    private readonly Lock _gate = new();
    private readonly List<TimeSpan> _skipped = [];

    /// <summary>The skipped waits, in order.</summary>
    public IReadOnlyList<TimeSpan> Skipped
    {
        get
        {
            lock (_gate)
                return [.. _skipped];
        }
    }

    public override long TimestampFrequency => _clock.TimestampFrequency;

    public override DateTimeOffset GetUtcNow() => _clock.GetUtcNow();

    public override long GetTimestamp() => _clock.GetTimestamp();

    public void Advance(TimeSpan by) => _clock.Advance(by);

    /// <inheritdoc cref="ManualTimeProvider.FireAsync"/>
    public Task FireAsync(TimeSpan rest) => _clock.FireAsync(rest);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = _clock.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, period);
        var skipping = new SkippingTimer(this, timer);
        skipping.Change(dueTime, period);
        return skipping;
    }

    private TimeSpan Skip(TimeSpan dueTime)
    {
        if (dueTime <= TimeSpan.Zero || dueTime >= longest)
            return dueTime;
        lock (_gate)
            _skipped.Add(dueTime);
        _clock.Advance(dueTime);
        return TimeSpan.Zero;
    }

    private sealed class SkippingTimer(SkippingTimeProvider provider, ITimer timer) : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => timer.Change(provider.Skip(dueTime), period);

        public void Dispose() => timer.Dispose();

        public ValueTask DisposeAsync() => timer.DisposeAsync();
    }
}
