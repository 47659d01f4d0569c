using System.Text.RegularExpressions;
using ProxySwapper.Testing.Documentation;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests.Documentation;

/// <summary>The manual's shell commands: what bash and kubectl say about them, and which programs no test can run.</summary>
[TestFixture, NeedsServer]
internal sealed partial class ManualShellTests
{
    /// <summary>Programs in the shell blocks, with the tests that run them.</summary>
    private static readonly Dictionary<string, string> Tested = new()
    {
        ["proxyswapper"] = "ManualCommandTests parses each line; GettingStartedTests and AirGappedTests run some",
        ["helm"] = "ManualChartTests renders each line",
        ["kubectl"] = "below; GettingStartedTests and OwnCertificateTests run some",
        ["openssl"] = "OwnCertificateTests",
        ["htpasswd"] = "below",
        ["skopeo"] = "AirGappedTests",
        ["jq"] = "AirGappedTests",
        ["tar"] = "AirGappedTests",
        ["sha256sum"] = "ReleaseTests",
        ["test/run"] = "runs the tests",
        ["dotnet"] = "test/run; DemoTests runs demo",
    };

    /// <summary>Programs that need a cloud, GitHub, Docker or a node: no test runs them.</summary>
    private static readonly string[] NotRun = ["aws", "az", "cosign", "curl", "docker", "gcloud", "gh", "kind", "sudo"];

    private static readonly string[] Shell = ["cd", "done", "echo", "for", "printf", "source", "while"];

    private static IEnumerable<TestCaseData> KubectlCommands =>
        from page in ManualPage.All
        from line in page.ShellLines.Concat(page.InlineCode.Where(IsCommand))
        from match in Kubectl.Matches(line)
        where match.Value.Trim().Split(' ').Length > 2
        select new TestCaseData(match.Value.Trim()).SetArgDisplayNames(page.Path, match.Value.Trim());

    private static bool IsCommand(string code) =>
        code.StartsWith("kubectl ", StringComparison.Ordinal) && !code.Contains('…', StringComparison.Ordinal);

    [Test]
    public async Task Bash_accepts_every_block()
    {
        foreach (var page in ManualPage.All)
        foreach (var (_, text) in page.Blocks.Where(block => block.Language is "sh" or "bash"))
            Assert.That((await TestProcess.RunAsync("bash", ["-n", "-c", text])).Error, Is.Empty, $"{page.Path}\n{text}");
    }

    [Test]
    public void Every_program_is_tested_or_known_not_to_be()
    {
        var programs = ManualPage
            .All.SelectMany(page => page.ShellLines)
            .Where(line => !line.StartsWith('#') && !line.StartsWith('-'))
            .Select(line => Assignment.Replace(line, "").Split(' ')[0])
            .Where(word => word.Length > 0)
            .Distinct()
            .ToList();
        Assert.That(programs.Except(Tested.Keys).Except(NotRun).Except(Shell), Is.Empty);
        Assert.That(Tested.Keys.Concat(NotRun).Except(programs), Is.Empty, "no longer in the manual");
    }

    [Test]
    public async Task The_user_of_a_registry_cache_has_the_password_of_the_command()
    {
        var line = ManualPage
            .All.SelectMany(page => page.ShellLines)
            .Single(line => line.StartsWith("htpasswd ", StringComparison.Ordinal));
        using var folder = new TemporaryFolder();
        var script = $"cd {folder.PathOf(".")}\n{line}\necho a-long-password | htpasswd -vi htpasswd puller";
        var (exitCode, output, error) = await TestProcess.RunAsync("bash", ["-ec", script]);
        Assert.That(exitCode, Is.Zero, output + error);
        Assert.That(
            await File.ReadAllTextAsync(folder.PathOf("htpasswd")),
            Does.Match(@"^puller:\$2y\$"),
            "bcrypt, which Distribution requires"
        );
    }

    [TestCaseSource(nameof(KubectlCommands))]
    public async Task Kubectl_accepts_the_command_line(string command) => Assert.That(await UsageErrorAsync(command), Is.Empty);

    [Test]
    public async Task Wrong_kubectl_commands_are_seen()
    {
        Assert.That(KubectlCommands.Count(), Is.AtLeast(30));
        foreach (var wrong in (string[])["kubectl get pods --nonsense", "kubectl nonsense pods", "kubectl get pods -n"])
            Assert.That(await UsageErrorAsync(wrong), Is.Not.Empty, wrong);
    }

    /// <summary>kubectl's error for a command line, which it parses completely before connecting to a closed port.</summary>
    private static async Task<string> UsageErrorAsync(string command)
    {
        var kubectl = (await ControlPlane.GetAsync()).Kubectl;
        using var folder = new TemporaryFolder();
        var script = $"kubectl() {{ {kubectl} --server=http://127.0.0.1:1 \"$@\"; }}\ncd {folder.PathOf(".")}\n{command}";
        var (_, output, error) = await TestProcess.RunAsync(
            "bash",
            ["-c", script],
            new Dictionary<string, string> { ["KUBECONFIG"] = "/dev/null", ["HOME"] = folder.PathOf(".") },
            ""
        );
        return UsageError.Match(output + error).Value;
    }

    [GeneratedRegex(
        "(unknown (flag|shorthand|command)|cannot be placed before plugin name|flag needs an argument|invalid argument|syntax error).*"
    )]
    private static partial Regex UsageError { get; }

    /// <summary>A command up to the next one.</summary>
    [GeneratedRegex("""(?<![\w-])kubectl (?!proxyswapper )(?:[^|;&()'"]|'[^']*'|"[^"]*")+""")]
    private static partial Regex Kubectl { get; }

    [GeneratedRegex(@"^(?:\w+=(?:\$\([^)]*\)|\S+)\s*)+")]
    private static partial Regex Assignment { get; }
}
