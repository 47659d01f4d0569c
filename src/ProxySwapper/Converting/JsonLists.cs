using System.Text.Json.Nodes;

namespace ProxySwapper.Converting;

/// <summary>Lists of texts as JSON.</summary>
internal static class JsonLists
{
    public static JsonArray ToJson(this IEnumerable<string> texts) => [.. texts.Select(text => (JsonNode)JsonValue.Create(text))];
}
