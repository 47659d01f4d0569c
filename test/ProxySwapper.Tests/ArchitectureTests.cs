using System.Text.RegularExpressions;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Tests;

/// <summary>
/// The layers of the source tree, as CONTRIBUTING.md has them: a folder only uses folders of lower layers, its namespace is its path,
/// every folder has a layer, and files and lines stay short.
/// </summary>
[TestFixture]
internal sealed partial class ArchitectureTests
{
    /// <summary>
    /// The layers, lowest first: the rows of CONTRIBUTING.md, cut at their arrows. Folders of the same layer do not use each other.
    /// </summary>
    private static readonly string[][] Layers = [.. ReadLayers()];

    private static readonly Dictionary<string, int> LayerOf = Layers
        .SelectMany((folders, layer) => folders.Select(folder => (folder, layer)))
        .ToDictionary(pair => pair.folder, pair => pair.layer, StringComparer.Ordinal);

    private static readonly SourceFile[] Sources = [.. SourceFile.All("src")];

    [Test]
    public void Every_namespace_is_its_files_folder()
    {
        var wrong = SourceFile
            .All("src")
            .Concat(SourceFile.All("test"))
            .Where(file => file.Namespace is { } name && name != file.FolderAsNamespace)
            .Select(file => $"{file.Path}: {file.Namespace}, its folder says {file.FolderAsNamespace}");
        Assert.That(wrong, Is.Empty);
    }

    [Test]
    public void Every_folder_has_a_layer()
    {
        var folders = Sources.Where(file => file.Namespace is not null).Select(file => file.FolderAsNamespace).Distinct();
        Assert.That(folders.Where(folder => !LayerOf.ContainsKey(folder)), Is.Empty, "add these folders to the table in CONTRIBUTING.md");
        Assert.That(LayerOf.Keys.Except(folders), Is.Empty, "these folders are gone");
    }

    [Test]
    public void A_folder_uses_only_folders_of_lower_layers()
    {
        var wrong =
            from file in Sources
            where file.Namespace is not null
            from used in file.UsedNamespaces(LayerOf.Keys)
            where used != file.Namespace && LayerOf[used] >= LayerOf[file.Namespace!]
            select $"{file.Path} uses {used}";
        Assert.That(wrong.Distinct(), Is.Empty);
    }

    [Test]
    public void No_line_is_over_140_columns()
    {
        var wrong =
            from file in SourceFile.All("src").Concat(SourceFile.All("test"))
            from line in file.Text.Split('\n').Index()
            where line.Item.TrimEnd('\r').Length > 140
            select $"{file.Path}:{line.Index + 1}: {line.Item.Length}";
        Assert.That(wrong, Is.Empty);
    }

    [Test]
    public void No_file_is_over_300_lines()
    {
        var wrong =
            from file in SourceFile.All("src").Concat(SourceFile.All("test"))
            let lines = file.Text.TrimEnd().Split('\n').Length
            where lines > 300
            select $"{file.Path}: {lines}";
        Assert.That(wrong, Is.Empty);
    }

    /// <summary>Names of folders are relative to the project that the row begins with, by default the program.</summary>
    private static IEnumerable<string[]> ReadLayers() =>
        from row in File.ReadAllLines(SourceTree.PathOf("CONTRIBUTING.md"))
            .SkipWhile(line => line != "| layer | folders |")
            .Skip(2)
            .TakeWhile(line => line.StartsWith('|'))
        let cells = row.Split('|')
        let project = Quoted.Match(cells[1]) is { Success: true } match ? match.Groups[1].Value : "ProxySwapper"
        from layer in cells[2].Split('→')
        select layer.Contains("the root", StringComparison.Ordinal)
            ? [project]
            : Quoted.Matches(layer).Select(name => NamespaceOf(project, name.Groups[1].Value)).ToArray();

    private static string NamespaceOf(string project, string folder) =>
        folder.StartsWith("ProxySwapper.", StringComparison.Ordinal) ? folder : $"{project}.{folder.Replace('/', '.')}";

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Quoted { get; }

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex NamespacePattern { get; }

    [GeneratedRegex(@"\b(?:[A-Z]\w*\.)+[A-Z]\w*|(?<=^using (?:static )?)[\w.]+(?=;)", RegexOptions.Multiline)]
    private static partial Regex QualifiedName { get; }

    /// <summary>One C# file, by its path from the root with slashes.</summary>
    private sealed record SourceFile(string Path, string Text)
    {
        public string? Namespace { get; } = NamespacePattern.Match(Text) is { Success: true } match ? match.Groups[1].Value : null;

        /// <summary><c>src/ProxySwapper/Population/Queue/X.cs</c> is <c>ProxySwapper.Population.Queue</c>.</summary>
        public string FolderAsNamespace { get; } = string.Join('.', Path.Split('/')[1..^1]);

        public static IEnumerable<SourceFile> All(string folder) =>
            from path in Directory.EnumerateFiles(SourceTree.PathOf(folder), "*.cs", SearchOption.AllDirectories)
            let relative = System.IO.Path.GetRelativePath(SourceTree.Root, path).Replace('\\', '/')
            where !relative.Split('/').Any(part => part is "bin" or "obj" or "node_modules")
            select new SourceFile(relative, File.ReadAllText(path));

        /// <summary>The namespaces that usings and qualified names refer to, resolved from the file's own namespace outwards.</summary>
        public IEnumerable<string> UsedNamespaces(ICollection<string> all)
        {
            foreach (Match match in QualifiedName.Matches(Text))
            {
                var name = match.Value;
                for (var scope = $"{Namespace}."; ; scope = ParentOf(scope))
                {
                    if (
                        all.Where(one => $"{scope}{name}." is var full && full.StartsWith($"{one}.", StringComparison.Ordinal))
                            .MaxBy(one => one.Length) is
                        { } used
                    )
                    {
                        if (used.Length > scope.Length)
                            yield return used;
                        break;
                    }
                    if (scope.Length == 0)
                        break;
                }
            }
        }

        private static string ParentOf(string scope) => scope[..(scope.TrimEnd('.').LastIndexOf('.') + 1)];
    }
}
