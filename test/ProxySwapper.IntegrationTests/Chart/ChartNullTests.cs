using System.Text.Json.Nodes;
using ProxySwapper.Checks;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests.Chart;

/// <summary>Keys that are null in a user's values, which helm removes: the chart's templates find nothing there.</summary>
[TestFixture]
internal sealed class ChartNullTests
{
    private static readonly JsonObject Schema = JsonNode.Parse(ChartValues.Schema.GetRawText())!.AsObject();

    [TestCase("full")]
    [TestCase("cache-clouds")]
    [TestCase("network-policies")]
    [TestCase("policy")]
    public async Task The_chart_does_without_every_key_that_its_schema_does_not_require(string set)
    {
        var file = HelmChart.ValueSet(set);
        var defaults = YamlObjects.Read(await File.ReadAllTextAsync(Path.Combine(HelmChart.Folder, "values.yaml")))[0];
        var values = YamlObjects.Read(await File.ReadAllTextAsync(file))[0];
        Assert.That(AddNulls(values, defaults, Schema), Is.AtLeast(60));
        using var folder = new TemporaryFolder();
        var arguments = File.ReadLines(file).First().StartsWith("# helm: ", StringComparison.Ordinal) ? File.ReadLines(file).First() : "#";
        var written = folder.Write("values.yaml", $"{arguments}\n{values.ToJsonString()}");
        Assert.That(await HelmChart.ObjectsAsync(written), Is.Not.Empty);
        Assert.That(await HelmChart.NotesAsync(written), Is.Not.Empty);
    }

    [Test]
    public void The_schema_has_the_defaults_of_what_it_requires()
    {
        var defaults = YamlObjects.Read(File.ReadAllText(Path.Combine(HelmChart.Folder, "values.yaml")))[0];
        Assert.That(Compare(defaults, Schema, ""), Is.AtLeast(50));

        static int Compare(JsonObject defaults, JsonObject schema, string path)
        {
            var count = 0;
            foreach (var key in RequiredOf(schema))
            {
                var property = schema["properties"]![key]!.AsObject();
                var isSection = defaults[key] is JsonObject;
                Assert.That(
                    JsonNode.DeepEquals(property["default"], isSection ? new JsonObject() : defaults[key]),
                    $"{path}{key}: {property["default"]}"
                );
                count +=
                    isSection && property.ContainsKey("properties") ? 1 + Compare(defaults[key]!.AsObject(), property, $"{path}{key}.") : 1;
            }
            return count;
        }
    }

    /// <summary>Sets every key to null that may be, unless the values have it.</summary>
    /// <returns>How many.</returns>
    private static int AddNulls(JsonObject values, JsonObject defaults, JsonObject schema)
    {
        var count = 0;
        foreach (var (key, value) in defaults)
            if (!RequiredOf(schema).Contains(key))
                count += values.TryAdd(key, null) ? 1 : 0;
            else if (value is JsonObject section && SectionOf(schema, key) is { } inner)
            {
                values.TryAdd(key, new JsonObject());
                count += AddNulls(values[key]!.AsObject(), section, inner);
            }
        return count;
    }

    private static IEnumerable<string> RequiredOf(JsonObject schema) => schema["required"]?.AsArray().Select(key => (string)key!) ?? [];

    private static JsonObject? SectionOf(JsonObject schema, string key)
    {
        var section = schema["properties"]![key]!.AsObject();
        if ((string?)section["$ref"] is { } reference)
            section = Schema["definitions"]![reference.Split('/')[^1]]!.AsObject();
        return key != "config" && section.ContainsKey("properties") ? section : null;
    }
}
