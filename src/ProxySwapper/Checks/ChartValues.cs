using System.Text.Json;
using System.Text.Json.Nodes;
using ProxySwapper.AdmissionPolicies;
using ProxySwapper.Configuration;
using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Mirroring;
using ProxySwapper.Registry;
using YamlDotNet.RepresentationModel;

namespace ProxySwapper.Checks;

/// <summary>
/// Validates values of the chart: by its schema and its checks, as helm does, and what becomes the program's configuration and mirror file
/// as the program does when it starts.
/// </summary>
internal sealed class ChartValues
{
    private const string ConfigKey = "config";
    private const string MirrorKey = "mirror";
    private readonly string _file;
    private readonly YamlMappingNode _values;

    private ChartValues(string file, YamlMappingNode values) => (_file, _values) = (file, values);

    /// <summary>The chart's JSON Schema, draft 7; its definition <c>config</c> is that of the configuration.</summary>
    public static JsonElement Schema { get; } = ReadSchema();

    /// <summary>The faults of values, each with its line in the values' file.</summary>
    public static IReadOnlyList<ConfigurationFault> Validate(string file, YamlMappingNode values)
    {
        var reader = new ChartValues(file, values);
        var faults = new List<ConfigurationFault>();
        var bySchema = new List<ConfigurationFault>();
        // The program's own messages say more than a schema does.
        AddNew(faults, reader.ReadConfiguration());
        AddNew(faults, reader.ReadMirrorFile());
        AddNew(faults, new ChartConflicts(file, values).Find());
        var source = new YamlSource(file, bySchema);
        new SchemaValidator(Schema, source).Validate(WithoutNulls(values, Schema, source));
        AddNew(faults, bySchema);
        return faults;
    }

    /// <summary>
    /// Without the chart's own keys that are null, which helm removes. Those that the chart cannot do without stay, to be rejected.
    /// </summary>
    private static YamlMappingNode WithoutNulls(YamlMappingNode values, JsonElement schema, YamlSource source)
    {
        var kept = source.Derive(values, null, new YamlMappingNode());
        foreach (var (key, value) in values.Children)
        {
            var name = (key as YamlScalarNode)?.Value ?? "";
            var isRequired =
                schema.TryGetProperty("required", out var required) && required.EnumerateArray().Any(one => one.ValueEquals(name));
            if (YamlSection.IsNull(value) && !isRequired)
                continue;
            // The chart has no keys below config.
            var section = name == ConfigKey ? null : SectionOf(schema, name);
            kept.Add(key, value is YamlMappingNode mapping && section is { } inner ? WithoutNulls(mapping, inner, source) : value);
        }
        return kept;
    }

    /// <summary>The schema of a key that has keys of the chart's below it, otherwise null.</summary>
    private static JsonElement? SectionOf(JsonElement schema, string name)
    {
        if (!schema.TryGetProperty("properties", out var properties) || !properties.TryGetProperty(name, out var section))
            return null;
        if (section.TryGetProperty("$ref", out var reference))
            Schema.GetProperty("definitions").TryGetProperty(reference.GetString()!.Split('/')[^1], out section);
        return section.ValueKind == JsonValueKind.Object && section.TryGetProperty("properties", out _) ? section : null;
    }

    /// <summary>
    /// Reads the schema. What it requires if values are complete, as helm merges them with the chart's, is required of the sections
    /// themselves here: their defaults are known.
    /// </summary>
    private static JsonElement ReadSchema()
    {
        using var stream = typeof(ChartValues).Assembly.GetManifestResourceStream("values.schema.json")!;
        var schema = JsonNode.Parse(stream)!.AsObject();
        Require(schema, schema["then"]!.AsObject());
        schema.Remove("if");
        schema.Remove("then");
        using var document = JsonDocument.Parse(schema.ToJsonString());
        return document.RootElement.Clone();
    }

    private static void Require(JsonObject section, JsonObject complete)
    {
        if (complete["required"] is { } required)
            section["required"] = required.DeepClone();
        foreach (var (name, inner) in complete["properties"]?.AsObject() ?? [])
            Require(section["properties"]![name]!.AsObject(), inner!.AsObject());
    }

    /// <summary>Adds the faults of places without any until now.</summary>
    private static void AddNew(List<ConfigurationFault> faults, IReadOnlyList<ConfigurationFault> others)
    {
        var places = faults.Select(fault => (fault.Line, fault.Column)).ToHashSet();
        faults.AddRange(others.Where(fault => !places.Contains((fault.Line, fault.Column))));
    }

    private List<ConfigurationFault> ReadConfiguration()
    {
        var faults = new List<ConfigurationFault>();
        var source = new YamlSource(_file, faults);
        var root = new EffectiveConfiguration(_values, source).Create();
        var variables = Variables();
        var environment = new EnvironmentVariables(
            variables.Select(variable => KeyValuePair.Create(variable.Key, variable.Value.Value.Value ?? ""))
        );
        EnvironmentOverlay.Apply(environment, root, source, faults);
        var options = ConfigurationReader.ReadSection(new YamlSection(source, ConfigKey, root));
        if (faults.Count == 0 && options.AdmissionPolicy.Name is not null)
            try
            {
                // serve does not start either with a policy that cannot express the rules.
                ServedPolicy.Compile(options, ConfigurationLocations.Of(_file, root, ConfigKey, environment));
            }
            catch (ConfigurationException exception)
            {
                faults.AddRange(exception.Faults);
            }
        return [.. faults.Select(fault => variables.TryGetValue(fault.File, out var variable) ? AtVariable(fault, variable) : fault)];
    }

    /// <summary>The variables of <c>env</c> that the configuration is overlaid with, where their values are known.</summary>
    private Dictionary<string, (int Index, YamlScalarNode Value)> Variables()
    {
        var variables = new Dictionary<string, (int, YamlScalarNode)>(StringComparer.Ordinal);
        foreach (var (index, item) in (YamlValues.Find(_values, "env") as YamlSequenceNode ?? []).Index())
            if (YamlValues.Text(item, "name") is { } name && YamlValues.Find(item, "value") is YamlScalarNode value)
                variables[name] = (index, value);
        return variables;
    }

    private ConfigurationFault AtVariable(ConfigurationFault fault, (int Index, YamlScalarNode Value) variable)
    {
        var start = variable.Value.Start;
        return new(_file, (int)start.Line, (int)start.Column, $"env[{variable.Index}]", $"{fault.File}: {fault.Message}");
    }

    private List<ConfigurationFault> ReadMirrorFile()
    {
        var faults = new List<ConfigurationFault>();
        if (YamlValues.Find(_values, MirrorKey) is not YamlMappingNode { Children.Count: > 0 } mirror)
            return faults;
        // Without images, nothing is mirrored.
        if (YamlValues.Find(mirror, "images") is not YamlMappingNode { Children.Count: > 0 })
            return faults;
        var source = new YamlSource(_file, faults);
        var file = source.Derive(mirror, null, new YamlMappingNode());
        foreach (var key in (ReadOnlySpan<string>)["images", "mode", "platforms", "registries"])
            if (YamlValues.Find(mirror, key) is { } value && !YamlValues.IsEmpty(value))
                file.Add(key, value);
        if (YamlValues.Find(file, "registries") is null && YamlValues.Find(_values, ConfigKey, "registries") is { } registries)
            file.Add("registries", registries);
        MirrorFileReader.ReadSection(new YamlSection(source, MirrorKey, file));
        return faults;
    }
}
