using System.Text.RegularExpressions;
using System.Xml.Linq;
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

    private static readonly NamespaceUses Uses = new(Sources, LayerOf.Keys);

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
            from use in Uses.Of(file)
            where LayerOf[use] >= LayerOf[file.Namespace!]
            select $"{file.Path} uses {use}";
        Assert.That(wrong, Is.Empty);
    }

    /// <summary>Otherwise a search that finds nothing would find nothing wrong.</summary>
    [Test]
    public void The_search_for_uses_finds_them()
    {
        var files = Sources.Where(file => file.Namespace is not null).ToList();
        var usings = files.Sum(file => file.Usings.Count(LayerOf.ContainsKey));
        Assert.That(usings, Is.GreaterThan(700), "usings of our own namespaces");
        Assert.That(files.Sum(file => Uses.Of(file).Count), Is.GreaterThanOrEqualTo(usings).And.GreaterThan(800));
    }

    [TestCase("using ProxySwapper.Population.Gates;", "", "ProxySwapper.Population.Gates")]
    [TestCase("global using ProxySwapper.Population.Gates;", "", "ProxySwapper.Population.Gates")]
    [TestCase("using static ProxySwapper.Population.Gates.GatePatch;", "", "ProxySwapper.Population.Gates")]
    [TestCase("using Patch = ProxySwapper.Population.Gates.GatePatch;", "", "ProxySwapper.Population.Gates")]
    [TestCase("", "Gates.GatePatch.Build();", "ProxySwapper.Population.Gates")]
    [TestCase("", "Population.Gates.GatePatch.Build();", "ProxySwapper.Population.Gates")]
    [TestCase("", "new PodWatch();", "ProxySwapper.Population")]
    [TestCase("", "is PodWatch { } watch", "ProxySwapper.Population")]
    [TestCase("using ProxySwapper.Registry;", "// PodWatch, Gates.GatePatch", "ProxySwapper.Registry")]
    [TestCase("", "\"PodWatch\" + names.PodWatch + Gates.Count;", null)]
    public void A_use_is_found_however_it_is_written(string usings, string code, string? used)
    {
        const string Folder = "ProxySwapper.Population.Queue";
        var file = new SourceFile("src/ProxySwapper/Population/Queue/Example.cs", $"{usings}\nnamespace {Folder};\n{code}\n");
        Assert.That(Uses.Of(file), Is.EqualTo(used is null ? Array.Empty<string>() : [used]));
        if (used != "ProxySwapper.Registry" && used is not null)
            Assert.That(LayerOf[used], Is.GreaterThan(LayerOf[Folder]), "a case that the layers forbid");
    }

    /// <summary>What a project imports for all its files would be found in none of them.</summary>
    [Test]
    public void No_project_imports_a_namespace_of_ours_for_all_its_files()
    {
        var projects = Directory.EnumerateFiles(SourceTree.PathOf("src"), "*.csproj", SearchOption.AllDirectories);
        var imports =
            from path in projects.Append(SourceTree.PathOf("Directory.Build.props"))
            from use in XDocument.Load(path).Descendants("Using")
            let name = (string?)use.Attribute("Include") ?? ""
            where name.StartsWith("ProxySwapper", StringComparison.Ordinal)
            select $"{path}: {name}";
        Assert.That(imports, Is.Empty);
    }

    [Test]
    public void No_line_is_over_140_columns()
    {
        var wrong =
            from file in WrittenFile.All()
            from line in file.Lines()
            where line.Line.Length > 140
            select $"{file.Path}:{line.Number}: {line.Line.Length}";
        Assert.That(wrong, Is.Empty);
    }

    [Test]
    public void No_file_of_code_is_over_300_lines()
    {
        var wrong =
            from file in WrittenFile.All()
            where file.IsCode
            let lines = file.Text.TrimEnd().Split('\n').Length
            where lines > 300
            select $"{file.Path}: {lines}";
        Assert.That(wrong, Is.Empty);
    }

    /// <summary>Otherwise files that are not looked at would have no long line.</summary>
    [Test]
    public void The_search_for_files_finds_all_kinds()
    {
        var found = WrittenFile.All().ToDictionary(file => file.Path);
        string[] code =
        [
            "src/ProxySwapper/ProxySwapper.csproj",
            "test/run",
            "release/binary",
            "test/chart-schemas/objects.mjs",
            "Dockerfile",
        ];
        Assert.That(found.Keys, Is.SupersetOf([.. code, "README.md", "src/ProxySwapper/Population/page.html", ".ci/run"]));
        Assert.That(SourceFile.All("src").Concat(SourceFile.All("test")).Select(file => file.Path).Except(found.Keys), Is.Empty);
        Assert.That(code.Where(path => !found[path].IsCode), Is.Empty);
    }

    [Test]
    public void A_table_and_commands_of_Markdown_are_not_measured_its_prose_is() =>
        Assert.That(
            new WrittenFile("a.md", "prose\n| a | table |\n```sh\na command\n```\nmore\n").Lines(),
            Is.EqualTo(new[] { (1, "prose"), (6, "more"), (7, "") })
        );

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
}
