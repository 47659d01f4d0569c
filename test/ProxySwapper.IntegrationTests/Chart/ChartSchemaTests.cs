using System.Text.Json.Nodes;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Tests;

namespace ProxySwapper.IntegrationTests.Chart;

/// <summary>Validates the chart's objects and values against third-party schemas.</summary>
[TestFixture]
internal sealed class ChartSchemaTests
{
    private static readonly string ValuesSchema = Path.Combine(HelmChart.Folder, "values.schema.json");

    [Test]
    public async Task Every_object_of_every_value_set_fits_the_schema_of_its_kind()
    {
        using var folder = new TemporaryFolder();
        foreach (var values in HelmChart.ValueSets)
            await File.WriteAllTextAsync(folder.PathOf(Path.GetFileName(values)), await HelmChart.RenderAsync(values));
        Assert.That(HelmChart.ValueSets, Has.Count.GreaterThanOrEqualTo(15));
        Assert.That(
            await SchemaCheck.ObjectsAsync(HelmChart.ValueSets.Select(values => folder.PathOf(Path.GetFileName(values)))),
            Is.Empty
        );
    }

    [Test]
    public async Task The_check_detects_faults()
    {
        using var folder = new TemporaryFolder();
        var file = folder.PathOf("wrong.yaml");
        await File.WriteAllTextAsync(
            file,
            """
            {apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ports: [{port: eighty}]}}
            ---
            {apiVersion: v1, kind: Service, metadata: {name: b}, spec: {prots: []}}
            ---
            {apiVersion: policy/v1, kind: PodDisruption, metadata: {name: c}}
            ---
            {apiVersion: cert-manager.io/v1, kind: Certificate, metadata: {name: d}, spec: {secretName: d}}
            """
        );
        var faults = await SchemaCheck.ObjectsAsync([file]);
        Assert.That(
            faults.Select(fault => fault.Split(": ")[1]).Distinct().Order(),
            Is.EqualTo(new[] { "Certificate d", "PodDisruption c", "Service a", "Service b" })
        );
    }

    [Test]
    public async Task The_schema_accepts_the_defaults_and_every_value_set()
    {
        var faults = await SchemaCheck.ValuesAsync(ValuesSchema, [Path.Combine(HelmChart.Folder, "values.yaml"), .. HelmChart.ValueSets]);
        Assert.That(faults.Where(pair => pair.Value.Count > 0), Is.Empty);
    }

    [Test]
    public async Task The_schema_accepts_files_of_users_by_themselves()
    {
        var faults = await SchemaCheck.ValuesAsync(ValuesSchema, HelmChart.ValueSets, alone: true);
        Assert.That(faults.Where(pair => pair.Value.Count > 0), Is.Empty);
    }

    [Test]
    public async Task The_schema_rejects_wrong_values_and_names_them()
    {
        var files = Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "testdata", "chart", "wrong-values"));
        var faults = await SchemaCheck.ValuesAsync(ValuesSchema, files);
        Assert.That(files, Has.Length.GreaterThanOrEqualTo(20));
        Assert.Multiple(() =>
        {
            foreach (var file in files)
                Assert.That(
                    faults[file],
                    Has.Some.StartsWith(File.ReadLines(file).First()["# rejected: ".Length..]),
                    Path.GetFileName(file)
                );
        });
    }

    [Test]
    public async Task The_chart_rejects_conflicting_values_and_says_what_to_do()
    {
        var files = Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "testdata", "chart", "rejected"));
        foreach (var file in files)
        {
            var expected = File.ReadLines(file).Single(line => line.StartsWith("# error: ", StringComparison.Ordinal))[
                "# error: ".Length..
            ];
            Assert.That(await HelmChart.ReadRejectionAsync(file), Does.Contain(expected), Path.GetFileName(file));
        }
    }

    [Test]
    public void The_schema_of_values_holds_the_schema_of_the_configuration()
    {
        var configuration = JsonNode.Parse(File.ReadAllText(Path.Combine(HelmChart.Folder, "config.schema.json")))!.AsObject();
        var values = JsonNode.Parse(File.ReadAllText(ValuesSchema))!.AsObject();
        var definitions = values["definitions"]!.AsObject();
        foreach (var (name, definition) in configuration["definitions"]!.AsObject())
            definitions[name] = definition!.DeepClone();
        configuration.Remove("$schema");
        configuration.Remove("title");
        configuration.Remove("definitions");
        definitions["config"] = configuration.DeepClone();
        GoldenFile.AssertMatches(values.ToJsonString(Readable) + "\n", "chart", "values.schema.json");
    }

    private static readonly System.Text.Json.JsonSerializerOptions Readable = new()
    {
        WriteIndented = true,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };
}
