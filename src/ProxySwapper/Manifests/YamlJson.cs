using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace ProxySwapper.Manifests;

/// <summary>
/// Converts a manifest's YAML to JSON, as kubectl does before sending it: with the scalars of YAML 1.1
/// (<see href="https://yaml.org/type/">YAML 1.1 types</see>) and Go's prefixes of integers, but without sexagesimal numbers and dates.
/// </summary>
internal static partial class YamlJson
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
        scalar.Style == ScalarStyle.Plain || IsTyped(scalar.Tag) ? Scalar(scalar.Value ?? "") : JsonValue.Create(scalar.Value);

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

    /// <summary>The value of a plain scalar: null, a boolean, a number or a string.</summary>
    public static JsonValue? Scalar(string text) =>
        text switch
        {
            "" or "~" or "null" or "Null" or "NULL" => null,
            // JSON has no such numbers; kubectl refuses the document.
            ".nan" or ".NaN" or ".NAN" or ".inf" or ".Inf" or ".INF" => null,
            "+.inf" or "+.Inf" or "+.INF" or "-.inf" or "-.Inf" or "-.INF" => null,
            "y" or "Y" or "yes" or "Yes" or "YES" or "true" or "True" or "TRUE" or "on" or "On" or "ON" => JsonValue.Create(true),
            "n" or "N" or "no" or "No" or "NO" or "false" or "False" or "FALSE" or "off" or "Off" or "OFF" => JsonValue.Create(false),
            _ => Number(text) ?? JsonValue.Create(text),
        };

    private static JsonValue? Number(string text)
    {
        if (text[0] is not ('+' or '-' or '.' or (>= '0' and <= '9')))
            return null;
        var plain = text.Replace("_", "", StringComparison.Ordinal);
        var isNegative = plain[0] == '-';
        if (Magnitude(plain.AsSpan(plain[0] is '+' or '-' ? 1 : 0)) is { } magnitude)
        {
            if (!isNegative)
                return magnitude <= long.MaxValue ? JsonValue.Create((long)magnitude) : JsonValue.Create(magnitude);
            if (magnitude <= 1UL << 63)
                return JsonValue.Create(unchecked(-(long)magnitude));
        }
        return
            Float.IsMatch(plain)
            && double.TryParse(plain, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            && double.IsFinite(number)
            ? JsonValue.Create(number)
            : null;
    }

    /// <summary>An integer without its sign: binary, octal, which a leading zero makes too, hexadecimal or decimal; else null.</summary>
    private static ulong? Magnitude(ReadOnlySpan<char> digits)
    {
        var (numberBase, prefix) = digits switch
        {
            ['0', 'x' or 'X', ..] => (16u, 2),
            ['0', 'o' or 'O', ..] => (8u, 2),
            ['0', 'b' or 'B', ..] => (2u, 2),
            ['0', _, ..] => (8u, 1),
            _ => (10u, 0),
        };
        digits = digits[prefix..];
        if (digits.IsEmpty)
            return null;
        UInt128 value = 0;
        foreach (var digit in digits)
        {
            var next = char.IsAsciiHexDigit(digit) ? (uint)(digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10) : uint.MaxValue;
            if (next >= numberBase)
                return null;
            value = (value * numberBase) + next;
            if (value > ulong.MaxValue)
                return null;
        }
        return (ulong)value;
    }

    [GeneratedRegex(@"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\z")]
    private static partial Regex Float { get; }
}
