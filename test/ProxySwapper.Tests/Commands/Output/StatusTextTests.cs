using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ProxySwapper.Commands.Output;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Tests.Commands.Output;

/// <summary>The output of <c>status</c>: <c>testdata/status/*.json</c> as <c>*.txt</c>; <c>UPDATE_GOLDEN=1</c> updates these.</summary>
[TestFixture]
internal sealed partial class StatusTextTests
{
    private static readonly string Folder = SourceTree.PathOf("test", "ProxySwapper.Tests", "testdata", "status");

    private static IEnumerable<string> Names => Directory.EnumerateFiles(Folder, "*.json").Select(Path.GetFileNameWithoutExtension)!;

    [TestCaseSource(nameof(Names))]
    public void A_state_is_printed_for_people(string name)
    {
        var text = TextOf(File.ReadAllText(Path.Combine(Folder, $"{name}.json")));
        GoldenFile.AssertMatches(text, Folder, $"{name}.txt");
    }

    [Test]
    public void Every_list_of_the_page_is_shown()
    {
        var page = File.ReadAllText(SourceTree.PathOf("src", "ProxySwapper", "Population", "page.html"));
        var lists = ListOfPage().Matches(page).Select(match => match.Groups[1].Value).ToList();
        Assert.That(lists, Has.Count.GreaterThan(8).And.Contain("gated").And.Contain("rules"));
        foreach (var list in lists)
            Assert.That(
                TextOf(new JsonObject { [list] = new JsonArray(new JsonObject()) }.ToJsonString()),
                Does.Contain("(1)"),
                $"{list} of the page"
            );
    }

    [Test]
    public void Whatever_a_server_sends_is_printed_without_control_characters_and_no_list_is_endless()
    {
        var text = TextOf(
            new JsonObject
            {
                ["version"] = "1\u001b]0;owned\u0007",
                ["known"] = 1e300,
                ["queued"] = new JsonArray([.. Enumerable.Range(0, 50).Select(n => new JsonObject { ["target"] = $"a\nb\u202e{n}" })]),
                ["running"] = new JsonArray(
                    new JsonObject
                    {
                        ["bytes"] = -1,
                        ["totalBytes"] = 1e300,
                        ["startedAt"] = "0001-01-01T00:00:00Z",
                    }
                ),
                ["failed"] = "not a list",
                ["gated"] = new JsonArray(
                    JsonValue.Create(1),
                    null,
                    new JsonObject { ["since"] = "yesterday", ["images"] = new JsonArray(2) }
                ),
                ["gate"] = new JsonObject { ["deadlineSeconds"] = 1e300 },
                ["rateLimits"] = new JsonArray(new JsonObject { ["windowSeconds"] = 1e300, ["remaining"] = "x" }),
            }.ToJsonString()
        );
        Assert.That(text.Where(character => char.IsControl(character) && character != '\n' || character == '\u202e'), Is.Empty);
        Assert.That(text, Does.Contain("a b 0").And.Contain("and 30 more"));
        Assert.That(TextOf("[]"), Does.Contain("All is well"));
        // Half of a surrogate pair is JSON, but not text.
        Assert.That(
            TextOf("""{"version": "\ud800", "gated": [{"pod": "\ud800", "images": ["\ud800", "nginx"]}]}"""),
            Does.Contain("nginx").And.Contain("1 Pod waits")
        );
    }

    [Test]
    public void What_the_program_left_out_is_counted()
    {
        var text = TextOf("""{"gated": [{"namespace": "team", "pod": "web"}], "more": {"gated": 1300, "failed": -1} }""");
        Assert.That(text, Does.StartWith("ProxySwapper").And.Contain("1301 Pods wait for an image."));
        Assert.That(text, Does.Contain("Pods waiting for an image (1301)").And.Contain("  and 1300 more"));
    }

    [Test]
    public void Failures_mean_the_same_on_the_page_and_on_a_terminal()
    {
        var page = File.ReadAllText(SourceTree.PathOf("src", "ProxySwapper", "Population", "page.html"));
        var meanings = MeaningOfPage()
            .Matches(page)
            .Select(match => (Pattern: new Regex(match.Groups[1].Value, RegexOptions.IgnoreCase), Meaning: match.Groups[2].Value))
            .ToList();
        Assert.That(meanings, Has.Count.EqualTo(7));
        var words = meanings.SelectMany(entry => entry.Pattern.ToString().Replace(@"5\d\d", "503", StringComparison.Ordinal).Split('|'));
        foreach (var reason in words.Append("HTTP 401").Append("HTTP 403").Append("something else"))
            Assert.That(
                StatusReason.Meaning($"failed: {reason}"),
                Is.EqualTo(meanings.Find(entry => entry.Pattern.IsMatch(reason)).Meaning ?? "The copy failed."),
                reason
            );
    }

    [TestCase("GET r.example: no response: Connection refused (r.example:443)", "The registry cannot be reached.")]
    [TestCase("GET r.example: Temporary failure in name resolution (r.example:443)", "The registry cannot be reached.")]
    [TestCase("PUT r.example/a: unprocessable entity (HTTP 422): refused by a policy", "The copy failed.")]
    public void An_error_of_a_registry_that_responded_does_not_mean_that_it_cannot_be_reached(string reason, string meaning) =>
        Assert.That(StatusReason.Meaning(reason), Is.EqualTo(meaning));

    private static string TextOf(string json)
    {
        using var state = JsonDocument.Parse(json);
        using var text = new StringWriter { NewLine = "\n" };
        StatusText.Write(text, state.RootElement);
        return text.ToString();
    }

    [GeneratedRegex("""^  \[/(.+)/i?, "(.+)"\],$""", RegexOptions.Multiline)]
    private static partial Regex MeaningOfPage();

    [GeneratedRegex("<ul id=\"([A-Za-z]+)\"")]
    private static partial Regex ListOfPage();
}
