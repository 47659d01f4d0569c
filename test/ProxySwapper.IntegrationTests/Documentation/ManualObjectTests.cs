using System.Text.Json.Nodes;
using ProxySwapper.IntegrationTests.Chart;
using ProxySwapper.Testing.Documentation;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests.Documentation;

/// <summary>The manual's objects fit the schemas of their kinds, and those that install the chart have values that it takes.</summary>
[TestFixture, Parallelizable]
internal sealed class ManualObjectTests
{
    private static readonly string ValuesSchema = Path.Combine(HelmChart.Folder, "values.schema.json");

    private static IEnumerable<(ManualPage Page, string Text)> Blocks =>
        from page in ManualPage.All
        from block in page.Blocks
        where block.Language == "yaml" && block.Text.StartsWith("apiVersion: ", StringComparison.Ordinal)
        select (page, block.Text);

    private static List<JsonObject> Objects => [.. Blocks.SelectMany(block => YamlObjects.Read(block.Text))];

    [Test]
    public async Task Every_object_fits_the_schema_of_its_kind()
    {
        using var folder = new TemporaryFolder();
        var files = new List<string>();
        foreach (var (index, (page, text)) in Blocks.Index())
        {
            files.Add(folder.PathOf($"{Path.GetFileNameWithoutExtension(page.Path)}-{index}.yaml"));
            await File.WriteAllTextAsync(files[^1], text);
        }
        Assert.That(await SchemaCheck.ObjectsAsync(files), Is.Empty);
        Assert.That(Objects.Select(item => (string?)item["kind"]), Is.SupersetOf(new[] { "Application", "OCIRepository", "HelmRelease" }));
    }

    [Test]
    public async Task A_wrong_object_is_detected()
    {
        using var folder = new TemporaryFolder();
        var file = folder.PathOf("wrong.yaml");
        await File.WriteAllTextAsync(
            file,
            """
            apiVersion: argoproj.io/v1alpha1
            kind: Application
            metadata: {name: a}
            spec: {project: default, destination: {namespace: a}, source: {repoUrl: registry.example.com}}
            ---
            apiVersion: helm.toolkit.fluxcd.io/v2
            kind: HelmRelease
            metadata: {name: b}
            spec: {interval: 1h, chartRef: {kind: OCIRepository}}
            """
        );
        var faults = await SchemaCheck.ObjectsAsync([file]);
        Assert.That(
            faults.Select(fault => fault.Split(": ")[1]).Distinct().Order(),
            Is.EqualTo(new[] { "Application a", "HelmRelease b" })
        );
    }

    [Test]
    public async Task The_chart_takes_the_values_of_each_release()
    {
        using var folder = new TemporaryFolder();
        var releases = Objects
            .Select(item =>
                (string?)item["kind"] == "Application" ? item["spec"]!["source"]!["helm"]!["valuesObject"] : item["spec"]!["values"]
            )
            .OfType<JsonNode>()
            .ToList();
        Assert.That(releases, Has.Count.AtLeast(2));
        foreach (var (index, values) in releases.Index())
        {
            var file = folder.PathOf($"{index}.yaml");
            await File.WriteAllTextAsync(file, values.ToJsonString());
            Assert.That((await SchemaCheck.ValuesAsync(ValuesSchema, [file]))[file], Is.Empty);
            // Argo CD renders without a cluster, and so without its APIs.
            Assert.That(await HelmChart.ObjectsAsync(file, "--api-versions", "v1"), Is.Not.Empty);
        }
    }

    [Test]
    public async Task Each_release_names_the_chart_that_is_published()
    {
        var version = (await File.ReadAllLinesAsync(Path.Combine(HelmChart.Folder, "Chart.yaml"))).Single(line =>
            line.StartsWith("version: ", StringComparison.Ordinal)
        )["version: ".Length..];
        foreach (var item in Objects)
            switch ((string?)item["kind"])
            {
                case "Application":
                    var source = item["spec"]!["source"]!;
                    Assert.That($"{source["repoURL"]}/{source["chart"]}", Is.EqualTo("ghcr.io/proxyswapper/charts/proxyswapper"));
                    Assert.That((string?)source["targetRevision"], Is.EqualTo(version));
                    break;
                case "OCIRepository":
                    Assert.That((string?)item["spec"]!["url"], Is.EqualTo("oci://ghcr.io/proxyswapper/charts/proxyswapper"));
                    Assert.That((string?)item["spec"]!["ref"]!["tag"], Is.EqualTo(version));
                    break;
                case "HelmRelease":
                    var repository = item["spec"]!["chartRef"]!;
                    Assert.That(
                        Objects.Select(other => (string?)other["kind"] + "/" + (string?)other["metadata"]!["name"]),
                        Has.Member($"{repository["kind"]}/{repository["name"]}")
                    );
                    break;
            }
    }
}
