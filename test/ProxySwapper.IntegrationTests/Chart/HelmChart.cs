using System.Text.Json.Nodes;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests.Chart;

/// <summary>The chart, rendered by <c>helm template</c> with the program in <c>HELM</c>, or with helm on the PATH.</summary>
internal static class HelmChart
{
    public const string Release = "proxyswapper";

    public static string Folder { get; } = SourceTree.PathOf("chart");

    /// <summary>The values files that the chart is tested with. A first line `# helm: …` has further arguments.</summary>
    public static IReadOnlyList<string> ValueSets { get; } =
    [.. Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "testdata", "chart", "values"), "*.yaml").Order(StringComparer.Ordinal)];

    public static string ValueSet(string name) => ValueSets.Single(file => Path.GetFileNameWithoutExtension(file) == name);

    /// <summary>The objects for a values file, as text.</summary>
    /// <exception cref="InvalidOperationException">helm failed; the message is helm's.</exception>
    public static async Task<string> RenderAsync(string valuesFile, params string[] arguments)
    {
        var (exitCode, output, error) = await RunAsync("template", valuesFile, arguments);
        return exitCode == 0 ? output : throw new InvalidOperationException($"{Path.GetFileName(valuesFile)}: {error}");
    }

    public static async Task<IReadOnlyList<JsonObject>> ObjectsAsync(string valuesFile, params string[] arguments) =>
        YamlObjects.Read(await RenderAsync(valuesFile, arguments));

    /// <summary>Helm's error for values that the chart rejects.</summary>
    public static async Task<string> ReadRejectionAsync(string valuesFile)
    {
        var (exitCode, _, error) = await RunAsync("template", valuesFile, []);
        return exitCode == 0 ? "" : error;
    }

    /// <summary>Helm's notes after an installation.</summary>
    public static async Task<string> NotesAsync(string valuesFile)
    {
        var (exitCode, output, error) = await RunAsync("template", valuesFile, ["--notes"]);
        if (exitCode == 0)
            return output;
        // Helm only shows them for an installation.
        (exitCode, output, error) = await RunAsync("install", valuesFile, ["--dry-run=client", "--no-hooks"]);
        return exitCode == 0
            ? output[(output.IndexOf("NOTES:\n", StringComparison.Ordinal) + 7)..]
            : throw new InvalidOperationException(error);
    }

    private static async Task<(int ExitCode, string Output, string Error)> RunAsync(string verb, string valuesFile, string[] arguments)
    {
        var own =
            File.ReadLines(valuesFile).First() is var line && line.StartsWith("# helm: ", StringComparison.Ordinal)
                ? line["# helm: ".Length..].Split(' ')
                : [];
        // Most clusters have cert-manager; `# helm: --api-versions v1` is for one without.
        string[] operators = own.Contains("--api-versions") ? [] : ["--api-versions", "cert-manager.io/v1"];
        var @namespace = own.Contains("-n") ? Array.Empty<string>() : ["-n", Release];
        var program = Environment.GetEnvironmentVariable("HELM") is { Length: > 0 } named ? named : "helm";
        try
        {
            return await TestProcess.RunAsync(
                program,
                [verb, Release, Folder, .. @namespace, .. operators, .. own, "-f", valuesFile, .. arguments]
            );
        }
        catch (System.ComponentModel.Win32Exception fault)
        {
            throw new InvalidOperationException(
                "This test needs helm: on the PATH, or a program in HELM that runs `helm template`; test/setup/helm prints one.",
                fault
            );
        }
    }
}
