using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
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
            YamlScalarNode { Style: ScalarStyle.Plain } scalar => Scalar(scalar.Value ?? ""),
            YamlScalarNode scalar => JsonValue.Create(scalar.Value),
            _ => null,
        };

    /// <summary>Whether a plain scalar is a string for kubectl, which also takes the booleans of YAML 1.1 for what they are.</summary>
    public static bool IsString(string text) =>
        text.ToUpperInvariant() is not ("YES" or "NO" or "ON" or "OFF" or "Y" or "N" or "TRUE" or "FALSE")
        && Scalar(text)?.GetValueKind() == JsonValueKind.String;

    /// <summary>Keys that are not scalars, which JSON lacks, are left out.</summary>
    private static JsonObject ConvertMapping(YamlMappingNode mapping)
    {
        var result = new JsonObject();
        foreach (var (key, value) in mapping.Children)
            if (key is YamlScalarNode { Value: { } name })
                result[name] = Convert(value);
        return result;
    }

    /// <summary>The value of a plain scalar: null, a boolean, a number or a string.</summary>
    public static JsonValue? Scalar(string text) =>
        text switch
        {
            "" or "~" or "null" => null,
            "true" => JsonValue.Create(true),
            "false" => JsonValue.Create(false),
            _ when long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) => JsonValue.Create(
                whole
            ),
            // Not NaN and the like, which the parser takes as well, but JSON does not.
            _ when double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) =>
                JsonValue.Create(number),
            _ => JsonValue.Create(text),
        };
}
