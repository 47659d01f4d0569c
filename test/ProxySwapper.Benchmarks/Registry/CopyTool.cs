namespace ProxySwapper.Benchmarks.Registry;

/// <summary>A program that copies images between registries, with its arguments for all platforms and no TLS.</summary>
internal sealed record CopyTool(string Name, string Program, Func<string, string, IReadOnlyList<string>> Arguments)
{
    /// <summary>The published program, and other tools that are installed, such as <c>crane</c>.</summary>
    public static IReadOnlyList<CopyTool> All(string proxySwapper)
    {
        List<CopyTool> tools =
        [
            new("proxyswapper", proxySwapper, (source, target) => ["copy", source, target]),
            new(
                "skopeo",
                "skopeo",
                (source, target) =>
                    [
                        "--insecure-policy",
                        "copy",
                        "--quiet",
                        "--all",
                        "--src-tls-verify=false",
                        "--dest-tls-verify=false",
                        $"docker://{source}",
                        $"docker://{target}",
                    ]
            ),
        ];
        if (IsInstalled("crane"))
            tools.Add(new CopyTool("crane", "crane", (source, target) => ["cp", "--insecure", source, target]));
        return tools;
    }

    public Task<ToolRun> CopyAsync(string source, string target, bool watchesMemory = false) =>
        ToolRun.MeasureAsync(Program, Arguments(source, target), watchesMemory);

    private static bool IsInstalled(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator)
            .Any(folder => File.Exists(Path.Combine(folder, program)));
}
