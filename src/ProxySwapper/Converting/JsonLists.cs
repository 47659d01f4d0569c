using System.Text.Json.Nodes;

namespace ProxySwapper.Converting;

/// <summary>Lists of strings as JSON.</summary>
internal static class JsonLists
{
    public static JsonArray ToJson(this IEnumerable<string> texts) => [.. texts.Select(text => (JsonNode)JsonValue.Create(text))];
}
