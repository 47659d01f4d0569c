using System.Text.Json;
using System.Text.Json.Nodes;

namespace ProxySwapper.Kubernetes;

/// <summary>
/// Fields of an API server's objects, read by a path of member names: of nodes, and of elements, which need no tree, such as the items of a
/// list or a watch. A field of another type than documented counts as missing.
/// </summary>
internal static class JsonFields
{
    /// <summary>What a response may contain: a member that occurs twice has no value that all readers agree on.</summary>
    public static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    /// <summary>The string at a path; null if it is missing or empty, which the API does not distinguish.</summary>
    public static string? Text(this JsonNode? node, params ReadOnlySpan<string> path)
    {
        try
        {
            return Member(node, path) is JsonValue value && value.TryGetValue<string>(out var text) && text.Length > 0 ? text : null;
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair, which is JSON but not text.
            return null;
        }
    }

    /// <inheritdoc cref="Text(JsonNode?, ReadOnlySpan{string})"/>
    public static string? Text(this JsonElement element, params ReadOnlySpan<string> path)
    {
        try
        {
            return Member(element, path) is { ValueKind: JsonValueKind.String } value && value.GetString() is { Length: > 0 } text
                ? text
                : null;
        }
        catch (InvalidOperationException)
        {
            // As above.
            return null;
        }
    }

    /// <summary>The string at a path; empty if it is missing.</summary>
    public static string TextOrEmpty(this JsonElement element, params ReadOnlySpan<string> path) => Text(element, path) ?? "";

    /// <summary>The integer at a path; null if it is missing.</summary>
    public static int? Integer(this JsonNode? node, params ReadOnlySpan<string> path) =>
        Member(node, path) is JsonValue value && value.TryGetValue<int>(out var number) ? number : null;

    /// <summary>Whether there is <c>true</c> at a path.</summary>
    public static bool IsTrue(this JsonNode? node, params ReadOnlySpan<string> path) =>
        Member(node, path) is JsonValue value && value.TryGetValue<bool>(out var flag) && flag;

    /// <summary>The items of the list at a path; none if it is missing.</summary>
    public static JsonElement.ArrayEnumerator Items(this JsonElement element, params ReadOnlySpan<string> path) =>
        Member(element, path) is { ValueKind: JsonValueKind.Array } list ? list.EnumerateArray() : default;

    /// <summary>The strings of the list at a path, without empty ones; none if it is missing.</summary>
    public static IEnumerable<string> Texts(this JsonElement element, params ReadOnlySpan<string> path) =>
        Items(element, path).Select(item => item.Text()).OfType<string>();

    /// <summary>The value at a path; null if it is missing.</summary>
    public static JsonNode? Member(this JsonNode? node, params ReadOnlySpan<string> path)
    {
        foreach (var name in path)
            node = (node as JsonObject)?[name];
        return node;
    }

    /// <summary>The value at a path; undefined if it is missing.</summary>
    public static JsonElement Member(this JsonElement element, params ReadOnlySpan<string> path)
    {
        foreach (var name in path)
            if (element.ValueKind != JsonValueKind.Object || !element.TryGetProperty(name, out element))
                return default;
        return element;
    }
}
