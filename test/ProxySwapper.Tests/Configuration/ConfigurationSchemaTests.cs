using System.Text.Json.Nodes;
using ProxySwapper.Configuration;
using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Registry;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Tests.Configuration;

/// <summary><c>chart/config.schema.json</c> has exactly the keys of the program.</summary>
[TestFixture]
internal sealed class ConfigurationSchemaTests
{
    private const string Unknown = "zzz";

    private static readonly JsonObject Schema = JsonNode
        .Parse(File.ReadAllText(SourceTree.PathOf("chart", "config.schema.json")))!
        .AsObject();

    [Test]
    public void Every_section_has_the_same_keys()
    {
        var sections = Sections(Schema, []).ToList();
        Assert.That(sections, Has.Count.GreaterThanOrEqualTo(9));
        Assert.Multiple(() =>
        {
            foreach (var (path, section) in sections)
            {
                var fault = FaultsOf(Document(path, new JsonObject { [Unknown] = 1 }))
                    .Single(fault => fault.Message.Contains($"'{Unknown}'", StringComparison.Ordinal));
                var known = fault.Message.Split("valid keys are ")[1].Split(", ");
                Assert.That(
                    section["properties"]!.AsObject().Select(property => property.Key).Order(StringComparer.OrdinalIgnoreCase),
                    Is.EqualTo(known),
                    fault.Key
                );
            }
        });
    }

    [Test]
    public void Every_choice_is_taken_and_no_other()
    {
        var choices = Sections(Schema, [])
            .SelectMany(section =>
                section.Section["properties"]!
                    .AsObject()
                    .Where(property => property.Value!["enum"] is not null)
                    .Select(property => (section.Path, property.Key, Values: property.Value!["enum"]!.AsArray()))
            )
            .ToList();
        Assert.That(choices, Has.Count.GreaterThanOrEqualTo(6));
        Assert.Multiple(() =>
        {
            foreach (var (path, key, values) in choices)
            {
                foreach (var value in values)
                    Assert.That(
                        FaultsOf(Document(path, new JsonObject { [key] = value!.DeepClone() }))
                            .Where(fault => fault.Key.EndsWith(key, StringComparison.Ordinal)),
                        Is.Empty,
                        $"{key}: {value}"
                    );
                Assert.That(
                    FaultsOf(Document(path, new JsonObject { [key] = Unknown })).Select(fault => fault.Message),
                    Has.Some.StartsWith("must be one of"),
                    key
                );
            }
        });
    }

    [Test]
    public void Every_range_is_the_same()
    {
        var ranges = Sections(Schema, [])
            .SelectMany(section =>
                section.Section["properties"]!
                    .AsObject()
                    .Where(property => property.Value!["minimum"] is not null)
                    .Select(property => (section.Path, property.Key, Value: property.Value!.AsObject()))
            )
            .ToList();
        Assert.That(ranges, Has.Count.GreaterThanOrEqualTo(7));
        Assert.Multiple(() =>
        {
            foreach (var (path, key, value) in ranges)
            {
                var step = (string?)value["type"] == "integer" ? 1m : 0.001m;
                var (minimum, maximum) = (value["minimum"]!.GetValue<decimal>(), value["maximum"]!.GetValue<decimal>());
                foreach (
                    var (number, isAllowed) in new[] { (minimum, true), (minimum - step, false), (maximum, true), (maximum + step, false) }
                )
                    Assert.That(
                        FaultsOf(Document(path, new JsonObject { [key] = number }))
                            .Any(fault =>
                                fault.Message.StartsWith("must be a", StringComparison.Ordinal)
                                && fault.Key.EndsWith(key, StringComparison.Ordinal)
                            ),
                        Is.EqualTo(!isAllowed),
                        $"{key}: {number}"
                    );
            }
        });
    }

    [Test]
    public void Every_integer_and_number_has_its_range() =>
        Assert.That(
            Sections(Schema, [])
                .SelectMany(section => section.Section["properties"]!.AsObject())
                .Where(property => property.Value!["type"] is JsonValue type && type.GetValue<string>() is "integer" or "number")
                .Where(property => property.Value!["minimum"] is null || property.Value["maximum"] is null)
                .Select(property => property.Key),
            Is.Empty
        );

    /// <summary>The objects of the schema with fixed keys, by path; [] stands for the items of a list.</summary>
    private static IEnumerable<(string[] Path, JsonObject Section)> Sections(JsonObject schema, string[] path)
    {
        if (schema["items"] is JsonObject items)
            return Sections(items, [.. path, "[]"]);
        if (schema["properties"] is not JsonObject properties)
            return [];
        return [(path, schema), .. properties.SelectMany(property => Sections(property.Value!.AsObject(), [.. path, property.Key]))];
    }

    private static JsonNode Document(IEnumerable<string> path, JsonNode content) =>
        path.Reverse().Aggregate(content, (inner, key) => key == "[]" ? new JsonArray(inner) : new JsonObject { [key] = inner });

    private static IReadOnlyList<ConfigurationFault> FaultsOf(JsonNode document)
    {
        try
        {
            ConfigurationReader.ReadText("config.yaml", document.ToJsonString(), EnvironmentVariables.None);
            return [];
        }
        catch (ConfigurationException exception)
        {
            return exception.Faults;
        }
    }
}
