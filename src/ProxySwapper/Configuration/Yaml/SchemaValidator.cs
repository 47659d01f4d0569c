using System.Text.Json;
using System.Text.RegularExpressions;
using ProxySwapper.Registry;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace ProxySwapper.Configuration.Yaml;

/// <summary>
/// Validates YAML against a JSON Schema, draft 7, and reports every fault with its line. Supports the keywords that the chart's schema uses
/// (<see href="https://json-schema.org/draft-07/json-schema-validation">JSON Schema Validation</see>).
/// </summary>
internal sealed class SchemaValidator(JsonElement root, YamlSource source)
{
    private static readonly TimeSpan PatternTimeout = TimeSpan.FromSeconds(1);

    public void Validate(YamlNode node) => Validate(root, node, "");

    private void Validate(JsonElement schema, YamlNode node, string path)
    {
        if (schema.ValueKind == JsonValueKind.False)
        {
            source.Report(path, node, "is not allowed here");
            return;
        }
        if (schema.ValueKind != JsonValueKind.Object)
            return;
        if (Text(schema, "$ref") is { } reference)
            Validate(Resolve(reference), node, path);
        if (!IsOfType(schema, node))
        {
            source.Report(path, node, $"must be {TypesOf(schema)}");
            return;
        }
        if (ValueProblem(schema, node) is { } problem)
            source.Report(path, node, problem);
        foreach (var part in Items(schema, "allOf"))
            Validate(part, node, path);
        ValidateAlternatives(schema, node, path);
        if (node is YamlMappingNode mapping)
            ValidateMapping(schema, mapping, path);
        if (node is YamlSequenceNode list)
            ValidateList(schema, list, path);
    }

    private void ValidateAlternatives(JsonElement schema, YamlNode node, string path)
    {
        foreach (var keyword in (ReadOnlySpan<string>)["anyOf", "oneOf"])
            if (schema.TryGetProperty(keyword, out var alternatives))
            {
                var matching = alternatives.EnumerateArray().Count(alternative => IsValid(alternative, node));
                if (matching == 0 || keyword == "oneOf" && matching > 1)
                    source.Report(
                        path,
                        node,
                        Text(schema, "description") is { } text ? $"is not valid: {text}" : "matches none of the allowed forms"
                    );
            }
        if (schema.TryGetProperty("not", out var disallowed) && IsValid(disallowed, node))
            source.Report(path, node, Text(schema, "description") is { } text ? $"is not valid: {text}" : "is not allowed");
    }

    private void ValidateMapping(JsonElement schema, YamlMappingNode mapping, string path)
    {
        var hasProperties = schema.TryGetProperty("properties", out var properties);
        var required = Items(schema, "required").Select(name => name.GetString()!).ToList();
        foreach (var (keyNode, value) in mapping.Children)
        {
            var key = (keyNode as YamlScalarNode)?.Value ?? "";
            var place = path.Length == 0 ? key : $"{path}.{key}";
            if (hasProperties && properties.TryGetProperty(key, out var property))
            {
                if (IsNull(value) && required.Contains(key) && HasDefault(key))
                    source.Report(place, value, "must not be null, which removes its default; leave the key out");
                else
                    Validate(property, value, place);
            }
            else if (schema.TryGetProperty("additionalProperties", out var others))
            {
                if (others.ValueKind == JsonValueKind.False)
                    source.Report(path, keyNode, $"unknown key '{key}'; valid keys are {Names(properties)}");
                else
                    Validate(others, value, place);
            }
        }
        foreach (var key in required)
            if (!mapping.Children.ContainsKey(new YamlScalarNode(key)) && !HasDefault(key))
                source.Report(path, mapping, $"{key} is required");
        if (Number(schema, "minProperties") is { } least && mapping.Children.Count < least)
            source.Report(path, mapping, $"must have at least {CountFormat.Format((long)least, "key")}");
        if (Number(schema, "maxProperties") is { } most && mapping.Children.Count > most)
            source.Report(path, mapping, $"must have at most {CountFormat.Format((long)most, "key")}");

        // A key that is left out has it.
        bool HasDefault(string key) =>
            hasProperties && properties.TryGetProperty(key, out var property) && property.TryGetProperty("default", out _);
    }

    private void ValidateList(JsonElement schema, YamlSequenceNode list, string path)
    {
        if (Number(schema, "minItems") is { } least && list.Children.Count < least)
            source.Report(path, list, $"must have at least {CountFormat.Format((long)least, "item")}");
        if (Number(schema, "maxItems") is { } most && list.Children.Count > most)
            source.Report(path, list, $"must have at most {CountFormat.Format((long)most, "item")}");
        if (schema.TryGetProperty("uniqueItems", out var unique) && unique.ValueKind == JsonValueKind.True)
            foreach (var twice in list.Children.GroupBy(item => item).Where(group => group.Count() > 1))
                source.Report(path, twice.Last(), "duplicate item");
        if (schema.TryGetProperty("items", out var items))
            foreach (var (index, item) in list.Children.Index())
                Validate(items, item, $"{path}[{index}]");
    }

    private bool IsValid(JsonElement schema, YamlNode node)
    {
        var faults = new List<ConfigurationFault>();
        new SchemaValidator(root, new YamlSource("", faults)).Validate(schema, node, "");
        return faults.Count == 0;
    }

    private JsonElement Resolve(string reference)
    {
        var element = root;
        foreach (var part in reference.TrimStart('#').Split('/', StringSplitOptions.RemoveEmptyEntries))
            element = element.GetProperty(part);
        return element;
    }

    private static string? ValueProblem(JsonElement schema, YamlNode node)
    {
        if (node is not YamlScalarNode { Value: { } value } scalar)
            return null;
        if (
            schema.TryGetProperty("enum", out var allowed)
            && allowed.EnumerateArray().Select(TextOf).ToList() is var texts
            && !texts.Contains(value)
        )
            return $"must be one of {string.Join(", ", texts.Select(text => text.Length > 0 ? text : "\"\""))}";
        // Each of the other keywords applies to one type, and to no other.
        return IsText(scalar) ? TextProblem(schema, value) : NumberProblem(schema, value);
    }

    private static string? TextProblem(JsonElement schema, string value)
    {
        if (Text(schema, "pattern") is { } pattern && !Regex.IsMatch(value, pattern, RegexOptions.None, PatternTimeout))
            return Text(schema, "description") is { } text ? $"is not valid: {text}" : $"must match {pattern}";
        if (Number(schema, "minLength") is { } shortest && value.Length < shortest)
            return "must not be empty";
        if (Number(schema, "maxLength") is { } longest && value.Length > longest)
            return $"must have at most {CountFormat.Format((long)longest, "character")}";
        return null;
    }

    private static string? NumberProblem(JsonElement schema, string value)
    {
        if (!PlainScalar.TryNumber(value, out var number))
            return null;
        if (Number(schema, "minimum") is { } minimum && number < minimum)
            return $"must be at least {minimum}";
        return Number(schema, "maximum") is { } maximum && number > maximum ? $"must be at most {maximum}" : null;
    }

    private static bool IsOfType(JsonElement schema, YamlNode node) =>
        !schema.TryGetProperty("type", out var type)
        || (
            type.ValueKind == JsonValueKind.Array ? type.EnumerateArray().Any(one => Is(one.GetString(), node)) : Is(type.GetString(), node)
        );

    private static bool Is(string? type, YamlNode node) =>
        type switch
        {
            "object" => node is YamlMappingNode || IsNull(node),
            "array" => node is YamlSequenceNode || IsNull(node),
            "null" => IsNull(node),
            "boolean" => Plain(node) is { } text && (PlainScalar.IsTrue(text) || PlainScalar.IsFalse(text)),
            "integer" => Plain(node) is { } text && PlainScalar.TryNumber(text, out var number) && double.IsInteger(number),
            "number" => Plain(node) is { } text && PlainScalar.TryNumber(text, out _),
            "string" => node is YamlScalarNode scalar && IsText(scalar),
            _ => true,
        };

    private static bool IsNull(YamlNode node) => Plain(node) is { } text && PlainScalar.IsNull(text);

    /// <summary>What YAML reads as a string: a quoted scalar, or a plain one that is not a boolean, number or null.</summary>
    private static bool IsText(YamlScalarNode scalar) => Plain(scalar) is not { } text || PlainScalar.IsString(text);

    private static string? Plain(YamlNode node) => node is YamlScalarNode { Style: ScalarStyle.Plain } scalar ? scalar.Value : null;

    private static string TypesOf(JsonElement schema)
    {
        var type = schema.GetProperty("type");
        var names = type.ValueKind == JsonValueKind.Array ? type.EnumerateArray().Select(one => one.GetString()) : [type.GetString()];
        return string.Join(
            " or ",
            names.Select(name =>
                name is "array" ? "a list"
                : name is "object" ? "a mapping"
                : name is "integer" ? "an integer"
                : $"a {name}"
            )
        );
    }

    private static string Names(JsonElement properties) =>
        properties.ValueKind == JsonValueKind.Object
            ? string.Join(", ", properties.EnumerateObject().Select(property => property.Name))
            : "none";

    private static string TextOf(JsonElement element) =>
        element.ValueKind == JsonValueKind.String ? element.GetString()! : element.GetRawText();

    private static string? Text(JsonElement schema, string name) =>
        schema.TryGetProperty(name, out var text) && text.ValueKind == JsonValueKind.String ? text.GetString() : null;

    private static double? Number(JsonElement schema, string name) =>
        schema.TryGetProperty(name, out var number) && number.ValueKind == JsonValueKind.Number ? number.GetDouble() : null;

    private static JsonElement.ArrayEnumerator Items(JsonElement schema, string name) =>
        schema.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array ? list.EnumerateArray() : default;
}
