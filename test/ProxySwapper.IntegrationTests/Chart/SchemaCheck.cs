using System.Text.Json;
using System.Text.Json.Nodes;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests.Chart;

/// <summary>The checks in <c>test/chart-schemas</c>, each a single Node.js process for all files.</summary>
internal static class SchemaCheck
{
    private static readonly string Folder = SourceTree.PathOf("test", "chart-schemas");

    /// <summary>The faults in files with Kubernetes objects, one per line.</summary>
    public static async Task<IReadOnlyList<string>> ObjectsAsync(IEnumerable<string> files) =>
        [
            .. (await RunAsync("objects.mjs", files))
                .AsArray()
                .Select(fault => $"{Path.GetFileName((string)fault!["file"]!)}: {fault["object"]}: {fault["message"]}"),
        ];

    /// <summary>The faults in values files according to a JSON Schema, by file.</summary>
    /// <param name="schema">The schema's file.</param>
    /// <param name="files">The values' files.</param>
    /// <param name="alone">Checks each file by itself, as an editor does, and not merged with the chart's values, as helm does.</param>
    public static async Task<IReadOnlyDictionary<string, IReadOnlyList<string>>> ValuesAsync(
        string schema,
        IEnumerable<string> files,
        bool alone = false
    ) =>
        (await RunAsync("values.mjs", [.. alone ? ["--alone"] : Array.Empty<string>(), schema, .. files]))
            .AsObject()
            .ToDictionary(pair => pair.Key, pair => (IReadOnlyList<string>)[.. pair.Value!.AsArray().Select(message => (string)message!)]);

    /// <summary>The faults in GitHub Actions workflows according to actionlint, one per line.</summary>
    public static async Task<IReadOnlyList<string>> WorkflowsAsync(IEnumerable<string> files) =>
        [.. (await RunAsync("workflows.mjs", files)).AsArray().Select(fault => $"{fault}")];

    private static async Task<JsonNode> RunAsync(string script, IEnumerable<string> arguments)
    {
        if (!Directory.Exists(Path.Combine(Folder, "node_modules")))
            throw new InvalidOperationException(
                "This test needs the packages of test/chart-schemas: run `npm ci` there, or test/run, which does."
            );
        var (exitCode, output, error) = await TestProcess.RunAsync("node", [Path.Combine(Folder, script), .. arguments]);
        return exitCode == 0 ? JsonSerializer.Deserialize<JsonNode>(output)! : throw new InvalidOperationException($"{script}: {error}");
    }
}
