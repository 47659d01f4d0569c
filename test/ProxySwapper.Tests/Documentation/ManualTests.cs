using System.Text.Json;
using System.Text.RegularExpressions;
using ProxySwapper.Checks;
using ProxySwapper.Testing.Documentation;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Tests.Documentation;

/// <summary>The links of the manual work, and its example files are valid.</summary>
[TestFixture]
internal sealed class ManualTests
{
    private static IEnumerable<TestCaseData> Files =>
        from page in ManualPage.All
        from block in page.Blocks.Index()
        where block.Item.Language == "yaml" && block.Item.Text.StartsWith("# ", StringComparison.Ordinal)
        let kind = block.Item.Text.Split('\n')[0][2..]
        where kind is "config.yaml" or "mirror.yaml" or "values.yaml"
        select new TestCaseData(kind, block.Item.Text).SetArgDisplayNames(page.Path, kind, $"block {block.Index}");

    [TestCaseSource(nameof(Files))]
    public void Files_of_the_manual_are_valid(string kind, string text)
    {
        var validation = FileValidation.Create(kind, text, kind: null);
        var expected = kind switch
        {
            "config.yaml" => FileKind.Configuration,
            "mirror.yaml" => FileKind.MirrorFile,
            _ => FileKind.ChartValues,
        };
        Assert.That(validation.Faults, Is.Empty);
        // Without --kind, validate recognises it: a block such as "proxyUrl: registry.example.com" is valid as both.
        Assert.That(validation.Kinds, Does.Contain(expected));
    }

    [Test]
    public void Every_yaml_block_says_what_it_is()
    {
        var others =
            from page in ManualPage.All
            from block in page.Blocks
            where block.Language == "yaml" && !block.Text.StartsWith("apiVersion: ", StringComparison.Ordinal)
            let first = block.Text.Split('\n')[0]
            where first is not ("# config.yaml" or "# mirror.yaml" or "# values.yaml")
            select $"{page.Path}: {first}";
        Assert.That(others, Is.Empty, "ManualObjectTests validates objects, and this class the rest");
    }

    [Test]
    public void The_benchmarks_of_the_README_have_the_figures_of_the_performance_page()
    {
        var performance = ManualPage.All.Single(page => page.Path == "docs/performance.md").Text;
        var rows = ManualPage
            .All.Single(page => page.Path == "README.md")
            .Text.Split("\n| benchmark")[1]
            .Split("\n\n")[0]
            .Split('\n')
            .Where(line => line.StartsWith('|'))
            .Skip(1)
            .ToList();
        Assert.That(rows, Has.Count.GreaterThan(3));
        var measured = performance.Split('\n').Where(line => line.StartsWith('|')).ToList();
        var wrong =
            from row in rows
            let cells = row.Split('|')
            let targets = cells[4].Split(';')
            from result in cells[3].Split(';').Index()
            let figures = Figures(result.Item).Concat(Figures(targets[Math.Min(result.Index, targets.Length - 1)])).ToList()
            where figures.Count == 0 || !measured.Any(line => figures.All(figure => HasFigure(line, figure)))
            select $"{cells[1].Trim()}: {string.Join(", ", figures)}";
        Assert.That(wrong, Is.Empty, "docs/performance.md has no row with these figures");
    }

    /// <summary>Numbers, with the unit where they have one.</summary>
    private static IEnumerable<string> Figures(string cell) =>
        Regex.Matches(cell, @"\d([\d.,]*\d)?( (ms|MB))?").Select(figure => figure.Value);

    private static bool HasFigure(string line, string figure) => Regex.IsMatch(line, $@"(?<![\d.,]){Regex.Escape(figure)}(?!\d|[.,]\d)");

    [Test]
    public void Every_link_leads_to_a_file_and_a_heading()
    {
        var wrong =
            from page in ManualPage.All
            from link in page.Links
            where !link.Contains("://", StringComparison.Ordinal) && !Exists(page, link)
            select $"{page.Path}: {link}";
        Assert.That(wrong, Is.Empty);
    }

    [Test]
    public void Every_reference_of_a_link_is_defined() =>
        Assert.That(ManualPage.All.SelectMany(page => page.UndefinedReferences.Select(name => $"{page.Path}: [{name}]")), Is.Empty);

    [Test]
    public void Every_page_of_the_manual_can_be_reached_from_its_first()
    {
        var linked = ManualPage
            .All.Single(page => page.Path == Path.Combine("docs", "README.md"))
            .Links.Select(link => Path.Combine("docs", link));
        var pages = ManualPage
            .All.Select(page => page.Path)
            .Where(path => path.StartsWith($"docs{Path.DirectorySeparatorChar}", StringComparison.Ordinal));
        Assert.That(
            pages.Except([Path.Combine("docs", "README.md")]).Except(linked.Select(link => link.Replace('/', Path.DirectorySeparatorChar))),
            Is.Empty
        );
    }

    [Test]
    public void The_readme_is_short() =>
        Assert.That(ManualPage.All.Single(page => page.Path == "README.md").Text.TrimEnd().Split('\n'), Has.Length.AtMost(120));

    [Test]
    public void Every_scenario_says_how_to_check_it()
    {
        var scenarios = ManualPage
            .All.Where(page => page.Path.StartsWith(Path.Combine("docs", "scenarios"), StringComparison.Ordinal))
            .ToList();
        Assert.That(scenarios, Has.Count.AtLeast(12));
        foreach (var page in scenarios)
        {
            Assert.That(page.Text, Does.Contain("Check: ").Or.Contain("## Check"), page.Path);
            Assert.That(page.Files("values.yaml").Concat(page.Files("config.yaml")), Is.Not.Empty, page.Path);
        }
    }

    [Test]
    public void Every_policy_of_a_cloud_is_valid_JSON_with_statements()
    {
        var blocks = ManualPage.All.SelectMany(page => page.Blocks).Where(block => block.Language == "json").ToList();
        Assert.That(blocks, Has.Count.AtLeast(3));
        foreach (var (_, text) in blocks)
        {
            using var policy = JsonDocument.Parse(text);
            Assert.That(policy.RootElement.GetProperty("Version").GetString(), Is.EqualTo("2012-10-17"));
            foreach (var statement in policy.RootElement.GetProperty("Statement").EnumerateArray())
                Assert.That(
                    statement.EnumerateObject().Select(member => member.Name),
                    Is.SupersetOf(new[] { "Effect", "Action" }).And.Some.AnyOf("Resource", "Principal")
                );
        }
    }

    private static bool Exists(ManualPage from, string link)
    {
        var (file, anchor) = link.Split('#', 2) is [var before, var after] ? (before, after) : (link, null);
        var path =
            file.Length == 0
                ? from.Path
                : Path.GetRelativePath(SourceTree.Root, SourceTree.PathOf(Path.GetDirectoryName(from.Path)!, file));
        if (anchor is null)
            return File.Exists(SourceTree.PathOf(path)) || Directory.Exists(SourceTree.PathOf(path));
        return ManualPage.All.FirstOrDefault(page => page.Path == path) is { } target && target.Anchors.Contains(anchor);
    }
}
