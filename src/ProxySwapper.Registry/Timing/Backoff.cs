namespace ProxySwapper.Registry.Timing;

/// <summary>Pauses between attempts: they double from one second to five minutes, with jitter to spread attempts.</summary>
/// <param name="random">Returns numbers from 0 to 1.</param>
public sealed class Backoff(Func<double> random)
{
    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);

    /// <summary>A first pause, doubled the given number of times, up to the longest.</summary>
    /// <param name="first">The first pause.</param>
    /// <param name="longest">The longest pause.</param>
    /// <param name="times">How often it is doubled.</param>
    public static TimeSpan Doubled(TimeSpan first, TimeSpan longest, int times)
    {
        // Beyond that, TimeSpan overflows.
        var doubled = first * Math.Pow(2, Math.Min(times, 20));
        return doubled < longest ? doubled : longest;
    }

    /// <summary>A pause with jitter: a quarter shorter to a quarter longer, so that many callers do not retry at once.</summary>
    /// <param name="pause">The pause.</param>
    /// <param name="random">Returns numbers from 0 to 1.</param>
    public static TimeSpan Jittered(TimeSpan pause, Func<double> random) => pause * (0.75 + random() / 2);

    /// <summary>The pause after a number of failures in a row: never shorter than the registry's Retry-After.</summary>
    public TimeSpan After(int failures, TimeSpan? retryAfter)
    {
        var own = Jittered(Doubled(Shortest, Longest, failures - 1), random);
        if (retryAfter is not { } least)
            return own;
        return own > least ? own : least + Shortest * random();
    }
}
