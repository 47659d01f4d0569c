using System.Text.RegularExpressions;
using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Mirroring;
using ProxySwapper.Testing.Documentation;

namespace ProxySwapper.Tests.Documentation;

/// <summary><c>docs/mirror-file.md</c> has every key, and its examples select the tags that it claims.</summary>
[TestFixture]
internal sealed partial class MirrorPageTests
{
    private static readonly string Page = ManualPage.All.Single(page => page.Path == Path.Combine("docs", "mirror-file.md")).Text;

    private static IEnumerable<TestCaseData> Examples
    {
        get
        {
            var parts = Page[Page.IndexOf("## Examples", StringComparison.Ordinal)..].Split("At an empty destination:");
            var (filled, empty) = (parts[0], parts[1]);
            foreach (Match row in Row.Matches(filled))
                yield return Case(row, TagsOf("destination"));
            foreach (Match row in Row.Matches(empty))
                yield return Case(row, []);
        }
    }

    [TestCaseSource(nameof(Examples))]
    public void An_example_selects_what_the_page_says(string settings, string[] destination, string[] expected)
    {
        var file = MirrorFileReader.ReadText(
            "mirror.yaml",
            $"images: {{x: {{source: a.example/x, destination: b.example/x, {settings}}}}}"
        );
        Assert.That(TagSelector.Select(file.Images[0].Filter, TagsOf("source"), destination).Tags, Is.EqualTo(expected));
    }

    [Test]
    public void Every_mode_has_an_example() =>
        Assert.That(
            Enum.GetNames<MirrorMode>().Select(mode => $"mode: {mode.ToLowerInvariant()}"),
            Is.SubsetOf(Examples.Select(example => (string)example.Arguments[0]!).ToList())
        );

    [TestCase("nonsense: 1", "")]
    [TestCase("images: {x: {nonsense: 1}}", "images.NAME.")]
    public void Every_key_is_documented(string text, string prefix)
    {
        var faults = Assert.Throws<ConfigurationException>(() => MirrorFileReader.ReadText("mirror.yaml", text))!.Faults;
        var keys = faults
            .Single(fault => fault.Message.StartsWith("unknown key", StringComparison.Ordinal))
            .Message.Split("valid keys are ")[1]
            .Split(", ");
        foreach (var key in keys.Where(key => key is not ("images" or "tags")))
            Assert.That(Page, Does.Contain($"`{prefix}{key}`").Or.Contain($"older name `{key}`"));
    }

    private static TestCaseData Case(Match row, string[] destination) =>
        new TestCaseData(
            row.Groups["settings"].Value,
            destination,
            Code.Matches(row.Groups["selected"].Value).Select(tag => tag.Groups["text"].Value).ToArray()
        ).SetArgDisplayNames(row.Groups["settings"].Value, string.Join(' ', destination));

    private static string[] TagsOf(string side)
    {
        var line = Page.Split('\n').Single(line => line.StartsWith($"Tags of the {side}: ", StringComparison.Ordinal));
        return [.. Code.Matches(line).Select(tag => tag.Groups["text"].Value)];
    }

    [GeneratedRegex(@"^\| `(?<settings>mode: [^`]+)` \| (?<selected>.+) \|$", RegexOptions.Multiline)]
    private static partial Regex Row { get; }

    [GeneratedRegex("`(?<text>[^`]+)`")]
    private static partial Regex Code { get; }
}
