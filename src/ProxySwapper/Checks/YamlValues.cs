using ProxySwapper.Configuration.Yaml;
using YamlDotNet.RepresentationModel;

namespace ProxySwapper.Checks;

/// <summary>Values of a chart by their keys, of whatever type they are: a schema reports the wrong ones.</summary>
internal static class YamlValues
{
    /// <summary>The value of a path of keys; null if it, or a mapping above it, is missing.</summary>
    public static YamlNode? Find(YamlNode? node, params ReadOnlySpan<string> keys)
    {
        foreach (var key in keys)
            node = node is YamlMappingNode mapping && mapping.Children.TryGetValue(new YamlScalarNode(key), out var value) ? value : null;
        return node;
    }

    /// <summary>A scalar's text; null if it is missing or empty.</summary>
    public static string? Text(YamlNode? node, params ReadOnlySpan<string> keys) =>
        Find(node, keys) is YamlScalarNode { Value.Length: > 0 } scalar && !YamlSection.IsNull(scalar) ? scalar.Value : null;

    public static bool IsTrue(YamlNode? node, params ReadOnlySpan<string> keys) => Text(node, keys) is { } text && PlainScalar.IsTrue(text);

    public static bool IsFalse(YamlNode? node, params ReadOnlySpan<string> keys) =>
        Text(node, keys) is { } text && PlainScalar.IsFalse(text);

    /// <summary>Whether a template's <c>with</c> would skip the value.</summary>
    public static bool IsEmpty(YamlNode node) =>
        node switch
        {
            YamlMappingNode mapping => mapping.Children.Count == 0,
            YamlSequenceNode list => list.Children.Count == 0,
            _ => node is YamlScalarNode { Value: null or "" } || YamlSection.IsNull(node),
        };
}
