using System.Text.RegularExpressions;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Testing.Documentation;

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

    /// <summary>Fenced blocks with language and text.</summary>
    public IEnumerable<(string Language, string Text)> Blocks =>
        Fence
            .Matches(Text)
            .Select(match =>
                (
                    match.Groups["language"].Value,
                    // A block of a list is indented.
                    $"\n{match.Groups["text"].Value}".Replace($"\n{match.Groups["indent"].Value}", "\n", StringComparison.Ordinal)[1..]
                )
            );

    /// <summary>Shell commands: each line of a block, joined with lines continued by a backslash.</summary>
    public IEnumerable<string> ShellLines => Blocks.Where(block => block.Language == "sh").SelectMany(block => LinesOf(block.Text));

    /// <summary>The commands of a shell block.</summary>
    public static IEnumerable<string> LinesOf(string block) =>
        block
            .Replace("\\\n", " ", StringComparison.Ordinal)
            .Split('\n')
            .Select(line => WhiteSpace.Replace(line, " ").Trim())
            .Where(line => line.Length > 0);

    /// <summary>The blocks whose first line is a comment with this file name.</summary>
    public IEnumerable<string> Files(string name) =>
        Blocks
            .Where(block => block.Language == "yaml" && block.Text.StartsWith($"# {name}\n", StringComparison.Ordinal))
            .Select(block => block.Text);

    /// <summary>Code within the text.</summary>
    public IEnumerable<string> InlineCode =>
        Inline.Matches(Fence.Replace(Text, "")).Select(match => WhiteSpace.Replace(match.Groups["code"].Value, " "));

    /// <summary>The targets of links, those of definitions <c>[name]: target</c> too.</summary>
    public IEnumerable<string> Links =>
        Link.Matches(Fence.Replace(Text, ""))
            .Concat(Definition.Matches(Fence.Replace(Text, "")))
            .Select(match => match.Groups["target"].Value);

    /// <summary>Links of the form <c>[text][name]</c> whose name has no line <c>[name]: target</c>.</summary>
    public IEnumerable<string> UndefinedReferences
    {
        get
        {
            var text = Inline.Replace(Fence.Replace(Text, ""), "");
            var defined = Definition.Matches(text).Select(match => match.Groups["name"].Value);
            return Reference.Matches(text).Select(match => match.Groups["name"].Value).Distinct().Except(defined);
        }
    }

    /// <summary>The anchors that GitHub creates for headings.</summary>
    public IEnumerable<string> Anchors =>
        Heading
            .Matches(Fence.Replace(Text, ""))
            .Select(match => NotInAnchors.Replace(match.Groups["text"].Value.Trim().ToLowerInvariant(), "").Replace(' ', '-'));

    [GeneratedRegex(@"^(?<indent> *)```(?<language>\w*)\n(?<text>.*?)^\k<indent>```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fence { get; }

    [GeneratedRegex("`(?<code>[^`]+)`")]
    private static partial Regex Inline { get; }

    [GeneratedRegex(@"\s+")]
    private static partial Regex WhiteSpace { get; }

    [GeneratedRegex(@"\[[^\]]*\]\((?<target>[^)\s]+)\)")]
    private static partial Regex Link { get; }

    [GeneratedRegex(@"\[[^\]]+\]\[(?<name>[^\]]+)\]")]
    private static partial Regex Reference { get; }

    [GeneratedRegex(@"^\[(?<name>[^\]]+)\]: (?<target>\S+)$", RegexOptions.Multiline)]
    private static partial Regex Definition { get; }

    [GeneratedRegex(@"^#+ (?<text>.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading { get; }

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NotInAnchors { get; }
}
