using System.Text.RegularExpressions;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Testing.Inputs;

/// <summary>The metrics that docs/metrics.md lists.</summary>
internal static partial class MetricsPage
{
    public static IReadOnlyList<DocumentedMetric> Read() =>
        [
            .. Row()
                .Matches(File.ReadAllText(SourceTree.PathOf("docs", "metrics.md")))
                .Select(row => new DocumentedMetric(
                    row.Groups["name"].Value,
                    row.Groups["type"].Value,
                    row.Groups["labels"].Value.Split(',', StringSplitOptions.RemoveEmptyEntries)
                )),
        ];

    [GeneratedRegex(@"^\| `(?<name>[a-z_]+)(?:\{(?<labels>[a-z_,]+)\})?` \| (?<type>counter|gauge|histogram) \|", RegexOptions.Multiline)]
    private static partial Regex Row();
}

/// <summary>A metric of the manual.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its type, as Prometheus says it.</param>
/// <param name="Labels">The names of its labels.</param>
internal sealed record DocumentedMetric(string Name, string Type, IReadOnlyList<string> Labels);
