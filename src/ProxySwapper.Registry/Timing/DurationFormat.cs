using System.Globalization;

namespace ProxySwapper.Registry.Timing;

/// <summary>Human-readable durations: <c>0.4 s</c>, <c>12 s</c>, <c>3 min 20 s</c>, <c>1 h 5 min</c>.</summary>
public static class DurationFormat
{
    /// <summary>Formats a duration; a negative one as 0.</summary>
    public static string Format(TimeSpan duration)
    {
        if (duration.TotalSeconds is >= 0 and < 9.95)
            return string.Create(CultureInfo.InvariantCulture, $"{duration.TotalSeconds:0.#} s");
        // Rounded before it is split: 59.7 s is a minute.
        var seconds = (long)Math.Round(Math.Max(0, duration.TotalSeconds));
        return seconds switch
        {
            < 60 => $"{seconds} s",
            < 3600 => Join(seconds / 60, "min", seconds % 60, "s"),
            _ => Join(seconds / 3600, "h", seconds % 3600 / 60, "min"),
        };
        static string Join(long whole, string unit, long rest, string restUnit) =>
            rest == 0 ? $"{whole} {unit}" : $"{whole} {unit} {rest} {restUnit}";
    }
}
