namespace ProxySwapper.Registry.Timing;

/// <summary>
/// The time of day when this was created, plus the time that has passed since. Deadlines and pauses are measured with it, since the clock
/// of the system may be corrected: set back, it would have everything wait longer by as much; set forward, Pods would be released without
/// their images.
/// </summary>
/// <param name="time">The clock of the system.</param>
public sealed class SteadyClock(TimeProvider time)
{
    /// <summary>Less than this is no correction: the two clocks are not read at the same instant.</summary>
    private static readonly TimeSpan SmallestCorrection = TimeSpan.FromSeconds(1);

    private readonly DateTimeOffset _start = time.GetUtcNow();
    private readonly long _startTimestamp = time.GetTimestamp();

    /// <summary>The time by this clock.</summary>
    public DateTimeOffset UtcNow => _start + time.GetElapsedTime(_startTimestamp);

    /// <summary>
    /// A time by this clock as the system's clock, as it is set now, shows it: what is logged or sent to others. Never throws.
    /// </summary>
    /// <param name="instant">The time by this clock.</param>
    public DateTimeOffset ToSystemTime(DateTimeOffset instant)
    {
        var correction = time.GetUtcNow() - UtcNow;
        return correction.Duration() < SmallestCorrection
            ? instant
            : new DateTimeOffset(Math.Clamp(instant.UtcTicks + correction.Ticks, 0, DateTimeOffset.MaxValue.UtcTicks), TimeSpan.Zero);
    }
}
