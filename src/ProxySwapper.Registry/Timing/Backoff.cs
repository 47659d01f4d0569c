namespace ProxySwapper.Registry.Timing;

/// <summary>Pauses between tries: they double from one second to five minutes, with jitter, so that tries spread out.</summary>
/// <param name="random">Gives numbers from 0 to 1.</param>
public sealed class Backoff(Func<double> random)
{
    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);

    /// <summary>What a registry asks for beyond this is a mistake of its clock.</summary>
    private static readonly TimeSpan LongestAsked = TimeSpan.FromDays(1);

    /// <summary>The pause after a number of failures in a row: never shorter than the registry asked for.</summary>
    public TimeSpan After(int failures, TimeSpan? asked)
    {
        var doubled = Shortest * Math.Pow(2, Math.Min(failures - 1, 20));
        var own = (doubled < Longest ? doubled : Longest) * (0.75 + random() / 2);
        if (asked is not { } least)
            return own;
        if (least > LongestAsked)
            least = LongestAsked;
        return own > least ? own : least + Shortest * random();
    }
}
