using System.Text.Json;
using ProxySwapper.Kubernetes;

namespace ProxySwapper.Reporting;

/// <summary>
/// A Kubernetes label selector: <c>matchLabels</c> and <c>matchExpressions</c>
/// (<see href="https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors">Labels and selectors</see>).
/// </summary>
internal sealed class LabelSelector
{
    /// <summary>The labels of an object without any.</summary>
    public static readonly IReadOnlyDictionary<string, string> NoLabels = new Dictionary<string, string>();

    private readonly List<Func<IReadOnlyDictionary<string, string>, bool>> _requirements = [];

    /// <summary>Matches every object.</summary>
    public static LabelSelector Any { get; } = new();

    public static LabelSelector Read(JsonElement selector)
    {
        var result = new LabelSelector();
        if (selector.Member("matchLabels") is { ValueKind: JsonValueKind.Object } labels)
            foreach (var label in labels.EnumerateObject())
            {
                var (key, value) = (label.Name, TextOf(label.Value));
                result._requirements.Add(all => all.TryGetValue(key, out var found) && found == value);
            }
        foreach (var expression in selector.Items("matchExpressions"))
            if (expression.Text("key") is { } key)
                result._requirements.Add(Requirement(key, expression.Text("operator"), ValuesOf(expression)));
        return result;
    }

    public bool IsMatch(IReadOnlyDictionary<string, string> labels) => _requirements.TrueForAll(requirement => requirement(labels));

    /// <summary>The labels of an object; empty if it has none.</summary>
    public static IReadOnlyDictionary<string, string> LabelsOf(JsonElement item)
    {
        if (item.Member("metadata", "labels") is not { ValueKind: JsonValueKind.Object } labels)
            return NoLabels;
        var result = new Dictionary<string, string>(StringComparer.Ordinal);
        // Of a name that occurs twice, the last value counts, as for every other member that is read here.
        foreach (var label in labels.EnumerateObject())
            result[label.Name] = TextOf(label.Value);
        return result;
    }

    /// <summary>A value as text: manifests that no API server has accepted may contain numbers.</summary>
    private static string TextOf(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();

    private static HashSet<string> ValuesOf(JsonElement expression)
    {
        var values = new HashSet<string>(StringComparer.Ordinal);
        foreach (var value in expression.Items("values"))
            values.Add(TextOf(value));
        return values;
    }

    private static Func<IReadOnlyDictionary<string, string>, bool> Requirement(string key, string? comparison, HashSet<string> values) =>
        comparison switch
        {
            "In" => labels => labels.TryGetValue(key, out var value) && values.Contains(value),
            "NotIn" => labels => !labels.TryGetValue(key, out var value) || !values.Contains(value),
            "Exists" => labels => labels.ContainsKey(key),
            "DoesNotExist" => labels => !labels.ContainsKey(key),
            // The API server rejects any other.
            _ => _ => false,
        };
}
