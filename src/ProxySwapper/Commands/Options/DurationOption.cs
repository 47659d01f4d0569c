using System.CommandLine;
using ProxySwapper.Patterns;

namespace ProxySwapper.Commands.Options;

/// <summary>Options that are durations within limits, such as <c>90s</c>, <c>30m</c> or <c>2h</c>.</summary>
internal static class DurationOption
{
    private static readonly TimeSpan ShortestCopyTimeout = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestCopyTimeout = TimeSpan.FromDays(7);

    /// <summary>The time that one image may take without <c>--copy-timeout</c>.</summary>
    public static readonly TimeSpan DefaultCopyTimeout = TimeSpan.FromHours(4);

    /// <summary><c>--copy-timeout</c>, the time that one image may take; null if it is not given.</summary>
    public static Option<TimeSpan?> CreateCopyTimeout() =>
        Create("--copy-timeout", "The maximum time of the copy of one image.", ShortestCopyTimeout, LongestCopyTimeout, DefaultCopyTimeout);

    // Without a DefaultValueFactory, whose value the help would show as .NET writes it, 04:00:00.
    private static Option<TimeSpan?> Create(string name, string description, TimeSpan minimum, TimeSpan maximum, TimeSpan defaultValue) =>
        new(name)
        {
            Description = $"{description} Default: {DurationParser.Format(defaultValue)}.",
            HelpName = "duration",
            CustomParser = result =>
            {
                var text = result.Tokens[0].Value;
                if (!DurationParser.TryParse(text, out var duration) || duration < minimum || duration > maximum)
                    result.AddError(
                        $"{name} must be a duration from {DurationParser.Format(minimum)} to {DurationParser.Format(maximum)}, "
                            + $"such as 90s, 30m or 2h, not '{text}'"
                    );
                return duration;
            },
        };
}
