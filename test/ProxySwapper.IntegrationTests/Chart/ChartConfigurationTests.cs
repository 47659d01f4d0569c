using System.Text.Json.Nodes;
using ProxySwapper.Checks;
using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Manifests;
using YamlDotNet.RepresentationModel;

namespace ProxySwapper.IntegrationTests.Chart;

/// <summary>What <c>validate</c> reads of values, compared with the configuration that the chart writes from them.</summary>
[TestFixture]
internal sealed class ChartConfigurationTests
{
    private static IEnumerable<TestCaseData> ValueSets =>
        HelmChart.ValueSets.Select(file => new TestCaseData(file).SetArgDisplayNames(Path.GetFileName(file)));

    /// <summary>The names in the certificate are the release's, which values do not contain.</summary>
    [TestCaseSource(nameof(ValueSets))]
    public async Task The_configuration_that_is_read_is_the_one_that_the_chart_writes(string file)
    {
        var values = YamlDocumentReader.ReadMapping(file, await File.ReadAllTextAsync(file), [])!;
        var written = (await HelmChart.ObjectsAsync(file))
            .Select(item => (string?)item["data"]?["config.yaml"])
            .Where(text => text is not null)
            .ToList();
        Assert.That(written, Has.Exactly(YamlValues.Text(values, "webhook", "enabled") == "false" ? 0 : 1).Items);
        var expected = written.ConvertAll(text =>
        {
            var configuration = Json(YamlDocumentReader.ReadMapping("config.yaml", text!, [])!);
            configuration.Remove("certificates");
            return configuration.ToJsonString();
        });
        var read = Json(new EffectiveConfiguration(values, new YamlSource(file, [])).Create()).ToJsonString();
        Assert.That(expected, Is.All.EqualTo(read));
    }

    private static JsonObject Json(YamlNode node) => (JsonObject)Ordered(YamlJson.Convert(node))!;

    /// <summary>With members in one order, and without empty lists, which mean the same as none.</summary>
    private static JsonNode? Ordered(JsonNode? node) =>
        node switch
        {
            JsonObject mapping => new JsonObject(
                mapping
                    .Where(member => member.Value is not JsonArray { Count: 0 })
                    .OrderBy(member => member.Key, StringComparer.Ordinal)
                    .Select(member => KeyValuePair.Create(member.Key, Ordered(member.Value)))
            ),
            JsonArray list => new JsonArray([.. list.Select(Ordered)]),
            _ => node?.DeepClone(),
        };
}
