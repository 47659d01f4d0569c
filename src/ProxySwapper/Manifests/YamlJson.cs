using System.Text.Json;
using System.Text.Json.Nodes;
using ProxySwapper.Configuration.Yaml;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace ProxySwapper.Manifests;

/// <summary>Converts a manifest's YAML to JSON, as kubectl does before sending it.</summary>
internal static class YamlJson
{
    public static JsonNode? Convert(YamlNode node) =>
        node switch
        {
            YamlMappingNode mapping => ConvertMapping(mapping),
            YamlSequenceNode list => new JsonArray([.. list.Select(Convert)]),
            YamlScalarNode scalar => ConvertScalar(scalar),
            _ => null,
        };

    /// <summary>Whether kubectl sends a scalar as a string.</summary>
    public static bool IsString(YamlScalarNode scalar) => ConvertScalar(scalar)?.GetValueKind() == JsonValueKind.String;

    private static JsonValue? ConvertScalar(YamlScalarNode scalar) =>
        scalar.Style == ScalarStyle.Plain || IsTyped(scalar.Tag) ? PlainScalar.Read(scalar.Value ?? "") : JsonValue.Create(scalar.Value);

    /// <summary>Whether a tag makes a quoted scalar something else than a string, such as <c>!!int "7"</c>.</summary>
    private static bool IsTyped(TagName tag) =>
        tag is { IsEmpty: false, IsNonSpecific: false }
        && tag.Value is "tag:yaml.org,2002:null" or "tag:yaml.org,2002:bool" or "tag:yaml.org,2002:int" or "tag:yaml.org,2002:float";

    /// <summary>Keys that are not scalars, which JSON lacks, are left out.</summary>
    private static JsonObject ConvertMapping(YamlMappingNode mapping)
    {
        var result = new JsonObject();
        foreach (var (key, value) in mapping.Children)
            if (key is YamlScalarNode { Value: { } name })
                result[name] = Convert(value);
        return result;
    }
}
