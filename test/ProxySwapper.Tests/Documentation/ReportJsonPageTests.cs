using System.Text.Json;
using System.Text.RegularExpressions;
using ProxySwapper.Configuration;
using ProxySwapper.Registry;
using ProxySwapper.Reporting;
using ProxySwapper.Rules;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Tests.Reporting;

namespace ProxySwapper.Tests.Documentation;

/// <summary>docs/commands.md lists exactly the members of the JSON report, their types, and the values of its enums.</summary>
[TestFixture]
internal sealed partial class ReportJsonPageTests
{
    private const string Absent = "absent";

    private static readonly string Page = File.ReadAllText(SourceTree.PathOf("docs", "commands.md"));

    /// <summary>Decisions that only the webhook makes, for a Pod that is created.</summary>
    private static readonly DecisionReason[] OfWebhook =
    [
        DecisionReason.NotDownstream,
        DecisionReason.DownstreamFailing,
        DecisionReason.RecreatedTooOften,
        DecisionReason.DryRun,
    ];

    [Test]
    public void Lists_each_state() =>
        Assert.That(ValuesOf("state"), Is.EqualTo(Enum.GetValues<ImageState>().Select(ReportMessages.NameOf)));

    [Test]
    public void Lists_each_reason() =>
        Assert.That(ValuesOf("reason"), Is.EquivalentTo(Enum.GetValues<DecisionReason>().Except(OfWebhook).Select(ReportMessages.NameOf)));

    [Test]
    public void Lists_each_member_with_its_types()
    {
        var documented = Member()
            .Matches(TableOf("member"))
            .ToDictionary(row => row.Groups["path"].Value, row => row.Groups["types"].Value.Split(" or ").Order().ToArray());
        var seen = new Dictionary<string, SortedSet<string>>(StringComparer.Ordinal);
        foreach (var report in Reports())
            using (var json = JsonDocument.Parse(report))
                Add(seen, "", json.RootElement);
        Assert.That(seen.Keys, Is.EquivalentTo(documented.Keys));
        foreach (var (path, types) in seen)
            Assert.That(types, Is.SubsetOf(documented[path]), path);
        foreach (var (path, types) in documented.Where(member => member.Value.Contains(Absent) || member.Value.Contains("null")))
            if (!path.StartsWith("dockerHubLimit.", StringComparison.Ordinal))
                Assert.That(seen[path], Is.EquivalentTo(types), path);
    }

    /// <summary>Those that other tests compare with the program's output, and one with everything that is optional.</summary>
    private static IEnumerable<string> Reports()
    {
        yield return File.ReadAllText(SourceTree.PathOf("test", "ProxySwapper.Tests", "testdata", "report", "shop", "report.json"));
        yield return File.ReadAllText(SourceTree.PathOf("test", "ProxySwapper.IntegrationTests", "testdata", "report", "report.json"));
        const string configuration = "proxyUrl: r.example\npopulate: {policy: delayed}\nadmissionPolicy: {name: swap}\n";
        var options = ConfigurationReader.ReadText("config.yaml", configuration, EnvironmentVariables.None);
        var builder = new ReportBuilder(RuleSet.Compile(options), ReportCluster.ChartDefaults);
        builder.AddTemplate([new ImageUse("nginx", null, null, new Workload("Deployment", "team", "web"), PodTraits.None)]);
        var entry = builder.Entries.Single();
        (entry.Presence, entry.Problem, entry.IsSameDigest, entry.Size) = (Presence.Unknown, "no response", true, 1000);
        var problems = new ReportProblems();
        problems.Add("Something is unknown.");
        problems.Assume("Something is assumed.");
        using var json = new MemoryStream();
        JsonReport.Write(json, ImageReport.Create(builder, problems), isIndented: false);
        yield return System.Text.Encoding.UTF8.GetString(json.ToArray());
    }

    private static void Add(Dictionary<string, SortedSet<string>> seen, string path, JsonElement value)
    {
        if (path.Length > 0 && value.ValueKind != JsonValueKind.Array)
            Note(path, TypeOf(value));
        if (value.ValueKind == JsonValueKind.Array)
            foreach (var item in value.EnumerateArray())
                Add(seen, $"{path}[]", item);
        if (value.ValueKind != JsonValueKind.Object)
            return;
        var isByReason = path.EndsWith(".unswapped", StringComparison.Ordinal);
        foreach (var member in value.EnumerateObject())
            Add(seen, $"{path}.{(isByReason ? "REASON" : member.Name)}".TrimStart('.'), member.Value);
        if (isByReason)
            Note($"{path}.REASON", Absent);
        foreach (var optional in (string[])["problem", "sameDigest", "bytes"])
            if (path == "images[]" && !value.TryGetProperty(optional, out _))
                Note($"{path}.{optional}", Absent);

        void Note(string member, string type)
        {
            if (!seen.TryGetValue(member, out var types))
                seen[member] = types = [];
            types.Add(type);
        }
    }

    private static string TypeOf(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.True or JsonValueKind.False => "boolean",
            var kind => kind.ToString().ToLowerInvariant(),
        };

    private static IEnumerable<string> ValuesOf(string name) =>
        Value().Matches(TableOf($"`{name}`")).Select(row => row.Groups["value"].Value);

    /// <summary>The rows of the first table whose first column has a heading, without the heading.</summary>
    private static string TableOf(string heading)
    {
        var start = Page.IndexOf($"\n| {heading} |", StringComparison.Ordinal) + 1;
        Assert.That(start, Is.Positive, heading);
        var end = Page.IndexOf("\n\n", start, StringComparison.Ordinal);
        return Page[start..end].Split('\n', 3)[2] + "\n";
    }

    [GeneratedRegex(@"^\| `(?<path>[^`]+)` \| (?<types>[a-z ]+) \| .+ \|$", RegexOptions.Multiline)]
    private static partial Regex Member();

    [GeneratedRegex(@"^\| `(?<value>[^`]+)` \| .+ \|$", RegexOptions.Multiline)]
    private static partial Regex Value();
}
