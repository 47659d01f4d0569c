using System.Text.RegularExpressions;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Tests.Documentation;

/// <summary>A Markdown page of the project, by its path from the root.</summary>
internal sealed partial record ManualPage(string Path, string Text)
{
    public static IReadOnlyList<ManualPage> All { get; } =
    [
        .. Directory
            .EnumerateFiles(SourceTree.Root, "*.md", SearchOption.AllDirectories)
            .Select(path => System.IO.Path.GetRelativePath(SourceTree.Root, path))
            .Where(path => !path.Split(System.IO.Path.DirectorySeparatorChar).Any(part => part is "node_modules" or "bin" or "obj"))
            .Order(StringComparer.Ordinal)
            .Select(path => new ManualPage(path, File.ReadAllText(SourceTree.PathOf(path)))),
    ];

    /// <summary>Fenced blocks: their language and their text.</summary>
    public IEnumerable<(string Language, string Text)> Blocks =>
        Fence.Matches(Text).Select(match => (match.Groups["language"].Value, match.Groups["text"].Value));

    /// <summary>What links point at.</summary>
    public IEnumerable<string> Links => Link.Matches(Fence.Replace(Text, "")).Select(match => match.Groups["target"].Value);

    /// <summary>The anchors that GitHub makes of the headings.</summary>
    public IEnumerable<string> Anchors =>
        Heading
            .Matches(Fence.Replace(Text, ""))
            .Select(match => NotInAnchors.Replace(match.Groups["text"].Value.Trim().ToLowerInvariant(), "").Replace(' ', '-'));

    [GeneratedRegex(@"^```(?<language>\w*)\n(?<text>.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fence { get; }

    [GeneratedRegex(@"\[[^\]]*\]\((?<target>[^)\s]+)\)")]
    private static partial Regex Link { get; }

    [GeneratedRegex(@"^#+ (?<text>.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading { get; }

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NotInAnchors { get; }
}
