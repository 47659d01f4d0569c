namespace ProxySwapper.Population.Queue;

/// <summary>
/// The time of day when this was created, plus the time that has passed since. Deadlines and pauses are measured with it, since the clock
/// of the system may be corrected: set back, it would have everything wait longer by as much; set forward, Pods would be released without
/// their images.
/// </summary>
internal sealed class SteadyClock(TimeProvider time)
{
    private readonly DateTimeOffset _start = time.GetUtcNow();
    private readonly long _startTimestamp = time.GetTimestamp();

    public DateTimeOffset UtcNow => _start + time.GetElapsedTime(_startTimestamp);
}
