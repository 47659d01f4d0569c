using System.Text.Json;
using System.Text.RegularExpressions;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Tests.Documentation;

/// <summary>The table of <c>report -o json</c> in docs/commands.md lists exactly the members of reports.</summary>
[TestFixture]
internal sealed partial class ReportJsonPageTests
{
    private static readonly string Page = File.ReadAllText(SourceTree.PathOf("docs", "commands.md"));

    private static readonly string[] Reports =
    [
        SourceTree.PathOf("test", "ProxySwapper.Tests", "testdata", "report", "shop", "report.json"),
        SourceTree.PathOf("test", "ProxySwapper.IntegrationTests", "testdata", "report", "report.json"),
    ];

    [TestCase("registries")]
    [TestCase("images")]
    public void The_members_of_a_list_are_documented(string list)
    {
        var row = Page.Split('\n').Single(line => line.StartsWith($"| `{list}[]` |", StringComparison.Ordinal));
        var documented = Code().Matches(row.Split('|')[2]).Select(match => match.Groups[1].Value);
        var written = Documents().SelectMany(report => report.GetProperty(list).EnumerateArray()).SelectMany(NamesOf);
        // Only images of a registry that does not respond have a problem, and its text would be in the golden files.
        Assert.That(documented, Is.EquivalentTo(written.Concat(list == "images" ? ["problem"] : []).Distinct()));
    }

    [Test]
    public void The_members_of_the_report_are_documented()
    {
        var table = Page[Page.IndexOf("`-o json` has these members", StringComparison.Ordinal)..];
        table = table[..table.IndexOf("\n\n`state`", StringComparison.Ordinal)];
        var documented = table
            .Split('\n')
            .Where(line => line.StartsWith("| `", StringComparison.Ordinal))
            .SelectMany(line => Code().Matches(line.Split('|')[1]).Select(match => match.Groups[1].Value));
        Assert.That(documented, Is.EquivalentTo(Documents().SelectMany(NamesOf).Distinct()));
    }

    [Test]
    public void The_states_are_documented()
    {
        var line = Page.Split('\n').Single(line => line.StartsWith("`state` is one of ", StringComparison.Ordinal));
        var documented = Code().Matches(line["`state`".Length..]).Select(match => match.Groups[1].Value);
        var all = Enum.GetNames<ProxySwapper.Reporting.ImageState>().Select(JsonNamingPolicy.CamelCase.ConvertName);
        Assert.That(documented, Is.EquivalentTo(all));
    }

    private static IEnumerable<JsonElement> Documents() =>
        Reports.Select(file => JsonSerializer.Deserialize<JsonElement>(File.ReadAllText(file)));

    private static IEnumerable<string> NamesOf(JsonElement item) => item.EnumerateObject().Select(member => member.Name);

    /// <summary>A name in backticks, without the description of its content.</summary>
    [GeneratedRegex("`([A-Za-z]+)[^`]*`")]
    private static partial Regex Code();
}
