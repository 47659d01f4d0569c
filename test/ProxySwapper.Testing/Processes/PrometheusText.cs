using System.Globalization;
using System.Text.RegularExpressions;

namespace ProxySwapper.Testing.Processes;

/// <summary>A strict reader of the Prometheus text format, version 0.0.4.</summary>
internal static partial class PrometheusText
{
    /// <summary>Values by series, as written: <c>name{label="value"}</c>.</summary>
    /// <exception cref="FormatException">A line is invalid, a family is not declared, or a series occurs twice.</exception>
    public static IReadOnlyDictionary<string, double> Parse(string text)
    {
        var values = new Dictionary<string, double>();
        var types = new Dictionary<string, string>();
        var series = new HashSet<string>(StringComparer.Ordinal);
        if (!text.EndsWith('\n'))
            throw new FormatException("The last line has no end.");
        foreach (var line in text[..^1].Split('\n'))
        {
            if (Help().IsMatch(line))
                continue;
            if (Type().Match(line) is { Success: true } type)
            {
                if (!types.TryAdd(type.Groups[1].Value, type.Groups[2].Value))
                    throw new FormatException($"A second TYPE: {line}");
                continue;
            }
            if (Sample().Match(line) is not { Success: true } sample)
                throw new FormatException($"No line of the format: {line}");
            var name = sample.Groups["name"].Value;
            var family = types.ContainsKey(name) ? name : Suffix().Replace(name, "");
            if (!types.TryGetValue(family, out var kind) || family != name && kind != "histogram")
                throw new FormatException($"No TYPE before: {line}");
            values[name + sample.Groups["labels"].Value] = ParseValue(sample.Groups["value"].Value);
            // The order of labels does not distinguish series: of two, Prometheus keeps the first.
            if (
                !series.Add(
                    string.Join(',', Label().Matches(sample.Groups["labels"].Value).Select(label => label.Value).Order().Prepend(name))
                )
            )
                throw new FormatException($"A second time: {line}");
        }
        return values;
    }

    private static double ParseValue(string text) =>
        text switch
        {
            "+Inf" => double.PositiveInfinity,
            "-Inf" => double.NegativeInfinity,
            _ => double.Parse(text, CultureInfo.InvariantCulture),
        };

    [GeneratedRegex(@"^# HELP [a-zA-Z_:][a-zA-Z0-9_:]* .+$")]
    private static partial Regex Help();

    [GeneratedRegex(@"^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram)$")]
    private static partial Regex Type();

    [GeneratedRegex(
        """^(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?<labels>\{[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"(?:"""
            + """,[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*")*\})? (?<value>\S+)$"""
    )]
    private static partial Regex Sample();

    [GeneratedRegex("[a-zA-Z_][a-zA-Z0-9_]*=\"(?:[^\"\\\\]|\\\\.)*\"")]
    private static partial Regex Label();

    [GeneratedRegex("_(bucket|sum|count)$")]
    private static partial Regex Suffix();
}
