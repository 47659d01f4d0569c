using System.Text.RegularExpressions;
using ProxySwapper.Testing.Kubernetes;

namespace ProxySwapper.IntegrationTests.Chart;

[TestFixture]
internal sealed partial class ChartGoldenTests
{
    [TestCase("default")]
    [TestCase("full")]
    [TestCase("policy")]
    public async Task The_objects_are_those_that_were_looked_at(string name)
    {
        var objects = await HelmChart.ObjectsAsync(HelmChart.ValueSet(name));
        // The dashboard is a file of its own.
        var rendered = YamlObjects.WriteCanonical(objects.Where(item => item["data"]?["proxyswapper.json"] is null));
        GoldenFile.Matches(
            Bcrypt().Replace(rendered, "$2a$10$HASH"),
            "test",
            "ProxySwapper.IntegrationTests",
            "testdata",
            "chart",
            "golden",
            $"{name}.yaml"
        );
    }

    [TestCase("default")]
    [TestCase("full")]
    [TestCase("policy")]
    [TestCase("mirror")]
    [TestCase("cache-node-port")]
    public async Task The_notes_are_those_that_were_looked_at(string name) =>
        GoldenFile.Matches(
            await HelmChart.NotesAsync(HelmChart.ValueSet(name)),
            "test",
            "ProxySwapper.IntegrationTests",
            "testdata",
            "chart",
            "golden",
            $"{name}.notes.txt"
        );

    /// <summary>Has a salt of its own each time.</summary>
    [GeneratedRegex(@"\$2a\$10\$[./A-Za-z0-9]{53}")]
    private static partial Regex Bcrypt();
}
