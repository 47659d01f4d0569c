using System.Text.RegularExpressions;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Tests;

/// <summary>One text file that is written by hand, by its path from the root with slashes.</summary>
internal sealed partial record WrittenFile(string Path, string Text)
{
    private static readonly string[] IgnoredFolders =
    [
        ".git",
        .. File.ReadLines(SourceTree.PathOf(".gitignore")).Where(line => line.EndsWith('/')).Select(line => line[..^1]),
    ];

    /// <summary>Whether it is code, and no table, manual or other data.</summary>
    public bool IsCode => CodePath.IsMatch(Path) || Text.StartsWith("#!", StringComparison.Ordinal);

    /// <summary>Its lines with their numbers; of Markdown only prose, since tables and commands to be copied cannot be wrapped.</summary>
    public IEnumerable<(int Number, string Line)> Lines()
    {
        var (number, isProse) = (0, true);
        foreach (var line in Text.Split('\n').Select(line => line.TrimEnd('\r')))
        {
            number++;
            var start = line.TrimStart();
            if (IsMarkdown && start.StartsWith("```", StringComparison.Ordinal))
                isProse = !isProse;
            else if (!IsMarkdown || (isProse && !start.StartsWith('|')))
                yield return (number, line);
        }
    }

    public static IEnumerable<WrittenFile> All() =>
        from path in Below(SourceTree.Root)
        let relative = System.IO.Path.GetRelativePath(SourceTree.Root, path).Replace('\\', '/')
        where !NotByHand.IsMatch(relative)
        let text = File.ReadAllText(path)
        where !text.Contains('\0', StringComparison.Ordinal)
        select new WrittenFile(relative, text);

    private bool IsMarkdown => Path.EndsWith(".md", StringComparison.Ordinal);

    private static IEnumerable<string> Below(string folder) =>
        Directory
            .EnumerateDirectories(folder)
            .Where(child => !IgnoredFolders.Contains(System.IO.Path.GetFileName(child)))
            .SelectMany(Below)
            .Concat(Directory.EnumerateFiles(folder));

    [GeneratedRegex(@"\.(?:cs|csproj|props|targets|mjs|go|sh)$|(?:^|/)Dockerfile$|^\.github/")]
    private static partial Regex CodePath { get; }

    /// <summary>
    /// What programs write (lock files, the solution, rendered manifests, recorded results); and the chart's schemas, values, templates
    /// and rules for Prometheus, where a line is one of what it describes or makes: a description, a message or a query.
    /// </summary>
    [GeneratedRegex(
        @"lock\.json$|\.sln$|\.user$|/testdata/|^manifests/.*\.yaml$|\.schema\.json$|^chart/(?:values\.yaml$|templates/|files/|dashboards/)"
    )]
    private static partial Regex NotByHand { get; }
}
