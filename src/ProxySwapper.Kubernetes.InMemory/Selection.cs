using System.Text.Json.Nodes;

namespace ProxySwapper.Kubernetes.InMemory;

/// <summary>
/// The objects selected by a list or watch: namespace, label selector (<c>=</c>, <c>==</c>, <c>!=</c>, existence) and field selector.
/// </summary>
internal sealed class Selection(ApiPath path, string labels, string fields)
{
    private readonly (string Key, bool IsEqual, string? Value)[] _labels = Parse(labels);
    private readonly (string Key, bool IsEqual, string? Value)[] _fields = Parse(fields);

    public string Collection => path.Collection;

    public bool IsMatch(JsonObject @object)
    {
        if (path.Namespace is { } @namespace && (string?)@object["metadata"]?["namespace"] != @namespace)
            return false;
        foreach (var (key, isEqual, value) in _labels)
            if (!IsMatch((string?)@object["metadata"]?["labels"]?[key], isEqual, value))
                return false;
        foreach (var (key, isEqual, value) in _fields)
        {
            var field = key.Split('.').Aggregate((JsonNode?)@object, (node, name) => node?[name]);
            if (!IsMatch((string?)field ?? "", isEqual, value))
                return false;
        }
        return true;
    }

    private static bool IsMatch(string? found, bool isEqual, string? value) =>
        value is null ? found is not null == isEqual : found == value == isEqual;

    private static (string Key, bool IsEqual, string? Value)[] Parse(string selector) =>
        [
            .. selector
                .Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                .Select(term =>
                {
                    if (term.IndexOf("!=", StringComparison.Ordinal) is > 0 and var differs)
                        return (term[..differs], false, (string?)term[(differs + 2)..]);
                    if (term.IndexOf('=', StringComparison.Ordinal) is > 0 and var equals)
                        return (term[..equals], true, term[(equals + 1)..].TrimStart('='));
                    return (term.TrimStart('!'), !term.StartsWith('!'), null);
                }),
        ];
}
