using System.Globalization;

namespace ProxySwapper.Commands.Output;

/// <summary>Human-readable durations: <c>0.4 s</c>, <c>12 s</c>, <c>3 min 20 s</c>, <c>1 h 5 min</c>.</summary>
internal static class DurationFormat
{
    public static string Format(TimeSpan duration)
    {
        if (duration.TotalSeconds is >= 0 and < 9.95)
            return string.Create(CultureInfo.InvariantCulture, $"{duration.TotalSeconds:0.#} s");
        // Rounded before it is split: 59.7 s is a minute.
        var seconds = (long)Math.Round(Math.Max(0, duration.TotalSeconds));
        return seconds switch
        {
            < 60 => $"{seconds} s",
            < 3600 => $"{seconds / 60} min {seconds % 60} s",
            _ => $"{seconds / 3600} h {seconds % 3600 / 60} min",
        };
    }
}
