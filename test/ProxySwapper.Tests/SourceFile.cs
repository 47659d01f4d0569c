using System.Text.RegularExpressions;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Tests;

/// <summary>One C# file, by its path from the root with slashes.</summary>
internal sealed partial record SourceFile(string Path, string Text)
{
    public string? Namespace { get; } = NamespacePattern.Match(Text) is { Success: true } match ? match.Groups[1].Value : null;

    /// <summary><c>src/ProxySwapper/Population/Queue/X.cs</c> is <c>ProxySwapper.Population.Queue</c>.</summary>
    public string FolderAsNamespace { get; } = string.Join('.', Path.Split('/')[1..^1]);

    /// <summary>The names after <c>using</c> and <c>using static</c>; those of aliases stay in <see cref="Code" />.</summary>
    public IReadOnlyList<string> Usings { get; } = [.. UsingPattern.Matches(Text).Select(match => match.Groups[1].Value)];

    /// <summary>The text without comments, the contents of strings, usings, and its own namespace.</summary>
    public string Code { get; } = NamespacePattern.Replace(UsingPattern.Replace(NoCode.Replace(Text, " "), ""), "");

    public static IEnumerable<SourceFile> All(string folder) =>
        from path in Directory.EnumerateFiles(SourceTree.PathOf(folder), "*.cs", SearchOption.AllDirectories)
        let relative = System.IO.Path.GetRelativePath(SourceTree.Root, path).Replace('\\', '/')
        where !relative.Split('/').Any(part => part is "bin" or "obj" or "node_modules")
        select new SourceFile(relative, File.ReadAllText(path));

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex NamespacePattern { get; }

    [GeneratedRegex(@"^(?:global )?using (?:static )?([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex UsingPattern { get; }

    /// <summary>
    /// Comments, and strings without holes: raw ones before others. Interpolated strings stay, since their holes are code.
    /// </summary>
    [GeneratedRegex(
        """"(?<raw>(?<![$"])"{3,}).*?\k<raw>|(?<!\$)@"(?:""|[^"])*"|(?<![$@"\\'])"(?:\\.|[^"\\\n])*"|(?<![:"\w])//[^\n]*|/\*.*?\*/"""",
        RegexOptions.Singleline
    )]
    private static partial Regex NoCode { get; }
}
