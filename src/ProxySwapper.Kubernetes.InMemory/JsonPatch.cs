using System.Globalization;
using System.Text.Json.Nodes;

namespace ProxySwapper.Kubernetes.InMemory;

/// <summary>
/// Applies patches as strictly as an API server: a patch applies completely or not at all. The demo applies the webhook's by it as well.
/// </summary>
internal static class JsonPatch
{
    /// <summary>Applies a JSON patch (RFC 6902: add, remove, replace, test).</summary>
    /// <exception cref="ApiException">422: an operation does not apply.</exception>
    public static JsonObject Apply(JsonObject document, JsonArray patch)
    {
        var patched = (JsonObject)document.DeepClone();
        foreach (var operation in patch)
            ApplyOne(patched, operation as JsonObject ?? throw Rejection("an operation must be an object"));
        return patched;
    }

    /// <summary>Applies a merge patch (RFC 7386).</summary>
    public static JsonObject Merge(JsonObject document, JsonObject patch)
    {
        var merged = (JsonObject)document.DeepClone();
        foreach (var (name, value) in patch)
            switch (value)
            {
                case null:
                    merged.Remove(name);
                    break;
                case JsonObject inner:
                    merged[name] = Merge(merged[name] as JsonObject ?? [], inner);
                    break;
                default:
                    merged[name] = value.DeepClone();
                    break;
            }
        return merged;
    }

    private static void ApplyOne(JsonObject document, JsonObject operation)
    {
        var path = (string?)operation["path"] ?? throw Rejection("an operation must have a path");
        var tokens = path.Split('/')[1..]
            .Select(token => token.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal))
            .ToArray();
        var parent = tokens[..^1].Aggregate((JsonNode?)document, Child) ?? throw Rejection($"{path} does not exist");
        var last = tokens[^1];
        var value = operation["value"]?.DeepClone();
        switch ((string?)operation["op"])
        {
            case "test":
                if (!JsonNode.DeepEquals(Child(parent, last), value))
                    throw Rejection($"testing {path} failed");
                break;
            case "remove":
                Remove(parent, last, path);
                break;
            case "replace":
                Require(parent, last, path);
                Set(parent, last, value);
                break;
            case "add":
                Add(parent, last, value, path);
                break;
            case var other:
                throw Rejection($"unknown operation {other}");
        }
    }

    private static void Add(JsonNode parent, string token, JsonNode? value, string path)
    {
        if (parent is not JsonArray list)
            Set(parent, token, value);
        else if (token == "-")
            list.Add(value);
        else if (int.TryParse(token, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index <= list.Count)
            list.Insert(index, value);
        else
            throw Rejection($"{path} does not exist");
    }

    private static void Remove(JsonNode parent, string token, string path)
    {
        Require(parent, token, path);
        if (parent is JsonArray list)
            list.RemoveAt(int.Parse(token, CultureInfo.InvariantCulture));
        else
            parent.AsObject().Remove(token);
    }

    private static void Set(JsonNode parent, string token, JsonNode? value)
    {
        if (parent is JsonArray list)
            list[int.Parse(token, CultureInfo.InvariantCulture)] = value;
        else
            parent[token] = value;
    }

    private static void Require(JsonNode parent, string token, string path)
    {
        if (Child(parent, token) is null)
            throw Rejection($"{path} does not exist");
    }

    private static JsonNode? Child(JsonNode? node, string token) =>
        node switch
        {
            JsonArray list when int.TryParse(token, out var index) && index >= 0 && index < list.Count => list[index],
            JsonObject members => members[token],
            _ => null,
        };

    private static ApiException Rejection(string why) =>
        ApiException.Invalid($"the server rejected our request due to an error in our request: {why}");
}
