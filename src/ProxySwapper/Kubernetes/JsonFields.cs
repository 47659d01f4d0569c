using System.Text.Json;
using System.Text.Json.Nodes;

namespace ProxySwapper.Kubernetes;

/// <summary>Fields of an API server's responses: one of another type than documented counts as missing.</summary>
internal static class JsonFields
{
    /// <summary>What a response may contain: a member that occurs twice has no value that all readers agree on.</summary>
    public static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    /// <summary>The string at a path of member names; null if it is missing.</summary>
    public static string? Text(this JsonNode? node, params ReadOnlySpan<string> path)
    {
        try
        {
            return Member(node, path) is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair, which is JSON but not text.
            return null;
        }
    }

    /// <summary>The integer at a path of member names; null if it is missing.</summary>
    public static int? Integer(this JsonNode? node, params ReadOnlySpan<string> path) =>
        Member(node, path) is JsonValue value && value.TryGetValue<int>(out var number) ? number : null;

    /// <summary>Whether there is <c>true</c> at a path of member names.</summary>
    public static bool IsTrue(this JsonNode? node, params ReadOnlySpan<string> path) =>
        Member(node, path) is JsonValue value && value.TryGetValue<bool>(out var flag) && flag;

    /// <summary>The value at a path of member names; null if it is missing.</summary>
    public static JsonNode? Member(this JsonNode? node, params ReadOnlySpan<string> path)
    {
        foreach (var name in path)
            node = (node as JsonObject)?[name];
        return node;
    }
}
