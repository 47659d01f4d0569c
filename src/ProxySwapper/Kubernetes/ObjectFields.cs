using System.Text.Json;

namespace ProxySwapper.Kubernetes;

/// <summary>
/// Fields of objects that are read without a tree of nodes, such as items of a list or a watch: one of another type than documented counts
/// as missing, as in <see cref="JsonFields"/>.
/// </summary>
internal static class ObjectFields
{
    /// <summary>A member; undefined if it is missing.</summary>
    public static JsonElement Member(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var member) ? member : default;

    /// <summary>The items of a list; none if it is missing.</summary>
    public static JsonElement.ArrayEnumerator Items(JsonElement element, string name) =>
        Member(element, name) is { ValueKind: JsonValueKind.Array } list ? list.EnumerateArray() : default;

    /// <summary>A string; null if it is missing or empty, which the API does not distinguish.</summary>
    public static string? Text(JsonElement element, string name) =>
        Member(element, name) is { ValueKind: JsonValueKind.String } text && text.GetString() is { Length: > 0 } value ? value : null;

    /// <summary>A string; empty if it is missing.</summary>
    public static string TextOrEmpty(JsonElement element, string name) => Text(element, name) ?? "";
}
