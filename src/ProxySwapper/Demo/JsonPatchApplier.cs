using System.Text.Json.Nodes;

namespace ProxySwapper.Demo;

/// <summary>Applies the operations that our patches use (RFC 6902: add, replace), as strictly as an API server.</summary>
internal static class JsonPatchApplier
{
    /// <exception cref="InvalidOperationException">The patch does not apply to this document.</exception>
    public static JsonNode Apply(JsonNode document, JsonArray patch)
    {
        var patched = document.DeepClone();
        foreach (var operation in patch)
        {
            var path = (string)operation!["path"]!;
            var tokens = path.Split('/')[1..]
                .Select(token => token.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal))
                .ToArray();
            var parent = tokens[..^1].Aggregate((JsonNode?)patched, (node, token) => Child(node, token));
            var isThere = Child(parent, tokens[^1]) is not null;
            if (parent is null || (string)operation["op"]! == "replace" && !isThere)
                throw new InvalidOperationException($"{operation["op"]} {path} does not apply.");
            var value = operation["value"]?.DeepClone();
            if (parent is JsonArray list)
                list[int.Parse(tokens[^1], System.Globalization.CultureInfo.InvariantCulture)] = value;
            else
                parent[tokens[^1]] = value;
        }
        return patched;
    }

    private static JsonNode? Child(JsonNode? node, string token) =>
        node switch
        {
            JsonArray list when int.TryParse(token, out var index) && index >= 0 && index < list.Count => list[index],
            JsonObject members => members[token],
            _ => null,
        };
}
