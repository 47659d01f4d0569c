using System.Text.Json.Nodes;
using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Manifests;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace ProxySwapper.Testing.Kubernetes;

/// <summary>YAML as Kubernetes reads it, equivalent to JSON.</summary>
internal static class YamlObjects
{
    /// <summary>The documents that are objects, in order.</summary>
    public static IReadOnlyList<JsonObject> Read(string text)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(text));
        return [.. stream.Documents.Select(document => YamlJson.Convert(document.RootNode)).OfType<JsonObject>()];
    }

    /// <summary>Objects as canonical YAML: ordered by kind and name, keys in alphabetical order.</summary>
    public static string WriteCanonical(IEnumerable<JsonObject> objects)
    {
        var text = new StringWriter { NewLine = "\n" };
        foreach (
            var item in objects.OrderBy(
                item => $"{item["kind"]} {item["metadata"]?["namespace"]} {item["metadata"]?["name"]}",
                StringComparer.Ordinal
            )
        )
        {
            text.WriteLine("---");
            var stream = new YamlStream(new YamlDocument(ConvertBack(item)));
            using var one = new StringWriter { NewLine = "\n" };
            stream.Save(one, assignAnchors: false);
            text.Write(one.ToString().Replace("...\n", "", StringComparison.Ordinal));
        }
        return text.ToString();
    }

    private static YamlNode ConvertBack(JsonNode? node) =>
        node switch
        {
            null => new YamlScalarNode("null"),
            JsonObject item => new YamlMappingNode(
                item.OrderBy(pair => pair.Key, StringComparer.Ordinal)
                    .Select(pair => KeyValuePair.Create((YamlNode)new YamlScalarNode(pair.Key), ConvertBack(pair.Value)))
            ),
            JsonArray list => new YamlSequenceNode(list.Select(ConvertBack)),
            _ when node.GetValueKind() == System.Text.Json.JsonValueKind.String => new YamlScalarNode((string)node!)
            {
                Style = StyleOf((string)node!),
            },
            _ => new YamlScalarNode(node.ToJsonString()),
        };

    private static ScalarStyle StyleOf(string text) =>
        text.Contains('\n', StringComparison.Ordinal) ? ScalarStyle.Literal
        : PlainScalar.IsString(text) ? ScalarStyle.Any
        : ScalarStyle.DoubleQuoted;
}
