using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Tests;

namespace ProxySwapper.IntegrationTests.Chart;

[TestFixture]
internal sealed class ChartGoldenTests
{
    [TestCase("default")]
    [TestCase("full")]
    [TestCase("policy")]
    public async Task The_objects_match_the_golden_files(string name)
    {
        var objects = await HelmChart.ObjectsAsync(HelmChart.ValueSet(name));
        // The dashboard is a separate file.
        var rendered = YamlObjects.WriteCanonical(objects.Where(item => item["data"]?["proxyswapper.json"] is null));
        GoldenFile.AssertMatches(rendered, "test", "ProxySwapper.IntegrationTests", "testdata", "chart", "golden", $"{name}.yaml");
    }

    [TestCase("default")]
    [TestCase("full")]
    [TestCase("policy")]
    [TestCase("first-day")]
    [TestCase("dry-run")]
    [TestCase("no-gates")]
    [TestCase("no-uninstall-hook")]
    [TestCase("own-registries")]
    [TestCase("mirror")]
    [TestCase("mirror-identity")]
    [TestCase("cache-node-port")]
    [TestCase("cache-policy")]
    [TestCase("older-kubernetes")]
    [TestCase("unregistered")]
    [TestCase("policy-unregistered")]
    [TestCase("populator-alone")]
    [TestCase("rules-elsewhere")]
    [TestCase("rules-without-copies")]
    [TestCase("dry-run-with-mirror")]
    [TestCase("host-network")]
    public async Task The_notes_match_the_golden_file(string name) =>
        GoldenFile.AssertMatches(
            await HelmChart.NotesAsync(HelmChart.ValueSet(name)),
            "test",
            "ProxySwapper.IntegrationTests",
            "testdata",
            "chart",
            "golden",
            $"{name}.notes.txt"
        );
}
