using System.Buffers;
using System.Globalization;

namespace ProxySwapper.Patterns;

/// <summary>Durations in the format of Go and Kubernetes: a sequence of numbers with the units ms, s, m and h.</summary>
internal static class DurationParser
{
    private static readonly SearchValues<char> NumberCharacters = SearchValues.Create("0123456789.");

    public static bool TryParse(ReadOnlySpan<char> text, out TimeSpan duration)
    {
        duration = TimeSpan.Zero;
        if (text is "0")
            return true;
        if (text.IsEmpty)
            return false;
        var sum = 0.0;
        while (!text.IsEmpty)
        {
            var end = text.IndexOfAnyExcept(NumberCharacters);
            if (end <= 0 || !double.TryParse(text[..end], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
                return false;
            text = text[end..];
            var unitEnd = text.IndexOfAnyInRange('0', '9');
            var unit = unitEnd < 0 ? text : text[..unitEnd];
            double? milliseconds = unit switch
            {
                "ms" => 1,
                "s" => 1000,
                "m" => 60_000,
                "h" => 3_600_000,
                _ => null,
            };
            if (milliseconds is null)
                return false;
            sum += number * milliseconds.Value;
            text = text[unit.Length..];
        }
        if (sum > TimeSpan.MaxValue.TotalMilliseconds / 2)
            return false;
        duration = TimeSpan.FromMilliseconds(sum);
        return true;
    }

    public static string Format(TimeSpan duration) =>
        duration switch
        {
            { Ticks: 0 } => "0",
            { TotalSeconds: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{duration.TotalMilliseconds}ms"),
            { TotalHours: >= 1 } when duration.Ticks % TimeSpan.TicksPerHour == 0 => string.Create(
                CultureInfo.InvariantCulture,
                $"{duration.TotalHours}h"
            ),
            { TotalMinutes: >= 1 } when duration.Ticks % TimeSpan.TicksPerMinute == 0 => string.Create(
                CultureInfo.InvariantCulture,
                $"{duration.TotalMinutes}m"
            ),
            _ => string.Create(CultureInfo.InvariantCulture, $"{duration.TotalSeconds}s"),
        };
}
