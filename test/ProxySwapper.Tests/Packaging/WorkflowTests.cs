using System.Text.RegularExpressions;
using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Testing.Processes;
using YamlDotNet.RepresentationModel;

namespace ProxySwapper.Tests.Packaging;

/// <summary>Properties of the GitHub Actions workflows that actionlint does not check.</summary>
[TestFixture]
internal sealed partial class WorkflowTests
{
    private static IEnumerable<TestCaseData> Workflows =>
        Directory
            .GetFiles(SourceTree.PathOf(".github", "workflows"), "*.yml")
            .Select(path => new TestCaseData(File.ReadAllText(path)).SetArgDisplayNames(Path.GetFileName(path)));

    [TestCaseSource(nameof(Workflows))]
    public void Every_action_is_pinned_to_a_commit_whose_version_is_reported(string text)
    {
        var used = Uses.Matches(text).Select(match => match.Groups["what"].Value.Trim()).ToList();
        Assert.That(used, Is.Not.Empty);
        Assert.That(
            used.Where(what => !what.StartsWith("./", StringComparison.Ordinal)),
            Has.All.Match(@"^[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
        );
    }

    [TestCaseSource(nameof(Workflows))]
    public void Nothing_is_allowed_but_what_a_job_asks_for(string text)
    {
        var workflow = Parse(text);
        Assert.That(((YamlMappingNode)workflow["permissions"]).Children, Is.Empty);
        foreach (var (name, job) in Jobs(workflow))
        {
            Assert.That(HasKey(job, "permissions"), $"{name} has no permissions");
            Assert.That(((YamlMappingNode)job["permissions"]).Children.Values.Select(value => $"{value}"), Has.All.AnyOf("read", "write"));
            Assert.That(HasKey(job, "uses") || HasKey(job, "timeout-minutes"), $"{name} has no timeout-minutes");
        }
    }

    [TestCaseSource(nameof(Workflows))]
    public void A_step_is_one_line_that_takes_values_from_the_environment_alone(string text)
    {
        foreach (var command in Commands(text))
        {
            Assert.That(command, Does.Not.Contain("\n"));
            Assert.That(command, Does.Not.Contain("${{"), "a value that is pasted into a shell can be a command");
        }
    }

    [TestCaseSource(nameof(Workflows))]
    public void What_is_checked_out_keeps_no_credentials(string text)
    {
        var checkouts = Steps(text)
            .Where(step => HasKey(step, "uses") && $"{step["uses"]}".StartsWith("actions/checkout@", StringComparison.Ordinal));
        Assert.That(checkouts.Select(step => $"{step["with"]["persist-credentials"]}"), Is.Not.Empty.And.All.EqualTo("false"));
    }

    [Test]
    public void A_release_publishes_what_its_own_jobs_made_and_not_the_results_of_the_tests()
    {
        var (release, ci) = (TextOf("release.yml"), TextOf("ci.yml"));
        Assert.That(UploadsOf(release), Has.Exactly(3).Items.And.All.StartsWith("release-"));
        Assert.That(UploadsOf(ci), Is.Not.Empty.And.None.StartsWith("release-"));
        var downloads = Steps(release)
            .Where(step => IsOf(step, "actions/download-artifact@"))
            .Select(step => (YamlMappingNode)step["with"])
            .Select(what => $"{(HasKey(what, "pattern") ? what["pattern"] : what["name"])}");
        Assert.That(downloads, Is.EqualTo(new[] { "release-sbom", "release-*" }));

        IEnumerable<string> UploadsOf(string text) =>
            Steps(text).Where(step => IsOf(step, "actions/upload-artifact@")).Select(step => $"{step["with"]["name"]}");

        string TextOf(string name) => File.ReadAllText(SourceTree.PathOf(".github", "workflows", name));

        bool IsOf(YamlMappingNode step, string action) =>
            HasKey(step, "uses") && $"{step["uses"]}".StartsWith(action, StringComparison.Ordinal);
    }

    [TestCaseSource(nameof(Workflows))]
    public void Every_script_is_there_and_can_be_run(string text)
    {
        var scripts = Commands(text).Select(command => Script.Match(command)).Where(match => match.Success).Select(match => match.Value);
        if (!OperatingSystem.IsWindows())
            foreach (var script in scripts)
                Assert.That(File.GetUnixFileMode(SourceTree.PathOf(script)).HasFlag(UnixFileMode.UserExecute), script);
    }

    [Test]
    public void Every_script_of_a_release_is_used()
    {
        var workflow = File.ReadAllText(SourceTree.PathOf(".github", "workflows", "release.yml"));
        var scripts = Directory.GetFiles(SourceTree.PathOf("release")).Select(Path.GetFileName);
        Assert.That(
            scripts.Where(script => !workflow.Contains($"release/{script} ", StringComparison.Ordinal)),
            Is.EqualTo(new[] { "notes" })
        );
    }

    private static YamlMappingNode Parse(string text) => (YamlMappingNode)YamlLoader.Load(text)[0].RootNode;

    private static IEnumerable<(string Name, YamlMappingNode Job)> Jobs(YamlMappingNode workflow) =>
        ((YamlMappingNode)workflow["jobs"]).Children.Select(pair => ($"{pair.Key}", (YamlMappingNode)pair.Value));

    private static IEnumerable<YamlMappingNode> Steps(string text) =>
        Jobs(Parse(text))
            .Where(job => HasKey(job.Job, "steps"))
            .SelectMany(job => (YamlSequenceNode)job.Job["steps"])
            .Cast<YamlMappingNode>();

    private static List<string> Commands(string text) =>
        [.. Steps(text).Where(step => HasKey(step, "run")).Select(step => $"{step["run"]}".TrimEnd('\n'))];

    private static bool HasKey(YamlMappingNode node, string key) => node.Children.ContainsKey(new YamlScalarNode(key));

    [GeneratedRegex(@"^\s*(?:- )?uses: (?<what>.+)$", RegexOptions.Multiline)]
    private static partial Regex Uses { get; }

    [GeneratedRegex(@"^(?:release|\.ci|test)/[\w-]+")]
    private static partial Regex Script { get; }
}
