using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ProxySwapper.Testing.Kubernetes;

namespace ProxySwapper.Tests.Chart;

/// <summary>The keys of <c>chart/values.yaml</c>, each with the comment above it.</summary>
internal sealed partial class ChartValues
{
    private ChartValues(IReadOnlyList<ChartValue> values) => All = values;

    /// <summary>Every key, in order.</summary>
    public IReadOnlyList<ChartValue> All { get; }

    public static ChartValues Read(string file)
    {
        var text = File.ReadAllText(file);
        var defaults = YamlObjects.Read(text)[0];
        var values = new List<ChartValue>();
        var path = new List<string>();
        var comment = new List<string>();
        foreach (var line in text.Split('\n'))
        {
            if (line.TrimStart() is ['#', .. var words])
                comment.Add(words);
            else if (Key().Match(line) is { Success: true } key)
            {
                path.RemoveRange(key.Groups[1].Length / 2, path.Count - key.Groups[1].Length / 2);
                path.Add(key.Groups[2].Value);
                values.Add(
                    new ChartValue(
                        string.Join('.', path),
                        string.Join(
                            ' ',
                            comment.TakeWhile(words => !words.StartsWith("  ", StringComparison.Ordinal)).Select(words => words.Trim())
                        ),
                        path.Aggregate((JsonNode?)defaults, (node, name) => node![name])
                    )
                );
                comment.Clear();
            }
            else
                comment.Clear();
        }
        return new ChartValues(values);
    }

    /// <summary>The keys to document: leaves, sections, and maps whose inside is described as a whole.</summary>
    public IEnumerable<ChartValue> Documented => All.Where(value => value.Comment.Length > 0);

    public bool IsSection(ChartValue value) => Documented.Any(other => other.Path.StartsWith(value.Path + ".", StringComparison.Ordinal));

    [GeneratedRegex("^( *)([A-Za-z0-9]+):( |$)")]
    private static partial Regex Key();
}

/// <summary>One key of values.yaml.</summary>
internal sealed record ChartValue(string Path, string Comment, JsonNode? Default)
{
    public bool IsLeaf => Default is not JsonObject { Count: > 0 };
}
