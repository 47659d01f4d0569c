using System.Text.RegularExpressions;
using ProxySwapper.IntegrationTests.Chart;
using ProxySwapper.Testing.Documentation;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests.Documentation;

/// <summary>The manual's values and helm commands work, and its console sessions print what it shows.</summary>
[TestFixture]
internal sealed partial class ManualChartTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static IEnumerable<TestCaseData> Values =>
        from page in ManualPage.All
        from values in page.Files("values.yaml").Index()
        select new TestCaseData(values.Item).SetArgDisplayNames(page.Path, $"block {values.Index + 1}");

    private static IEnumerable<TestCaseData> HelmCommands =>
        from page in ManualPage.All
        from line in page.ShellLines
        where line.StartsWith("helm install ", StringComparison.Ordinal) || line.StartsWith("helm upgrade ", StringComparison.Ordinal)
        where !line.Contains('…', StringComparison.Ordinal)
        select new TestCaseData(line, page.Files("values.yaml").FirstOrDefault()).SetArgDisplayNames(page.Path, line);

    /// <summary>Commands in the text.</summary>
    private static IEnumerable<TestCaseData> InlineCommands =>
        from page in ManualPage.All
        from code in page.InlineCode.Distinct()
        where code.StartsWith("helm ", StringComparison.Ordinal) && !code.Contains('…', StringComparison.Ordinal)
        select new TestCaseData(code).SetArgDisplayNames(page.Path, code);

    /// <summary>helm's commands with their flags, as far as the text names them.</summary>
    private static readonly Dictionary<string, string[]> Commands = new()
    {
        ["install"] = [],
        ["rollback"] = [],
        ["template"] = ["--set"],
        ["test"] = ["--logs"],
        ["uninstall"] = ["--no-hooks"],
        ["upgrade"] = [],
    };

    private static IEnumerable<TestCaseData> Sessions =>
        from page in ManualPage.All
        from block in page.Blocks
        where block.Language == "console" && block.Text.Contains("proxyswapper ", StringComparison.Ordinal)
        select new TestCaseData(block.Text).SetArgDisplayNames(page.Path, block.Text.Split('\n')[0]);

    public void Dispose() => _folder.Dispose();

    [TestCaseSource(nameof(Values))]
    public async Task The_chart_takes_the_values(string values) => Assert.That(await HelmChart.ObjectsAsync(Write(values)), Is.Not.Empty);

    [TestCaseSource(nameof(HelmCommands))]
    public async Task The_chart_takes_the_command(string line, string? values)
    {
        // The output of other commands is not checked.
        var words = Substitution().Replace(line, "c3Vic3RpdHV0ZQ==").Split(' ', StringSplitOptions.RemoveEmptyEntries)[2..];
        Assert.That(words[1], Is.EqualTo("./chart").Or.EqualTo("oci://ghcr.io/proxyswapper/charts/proxyswapper"));
        var file = Write("{}");
        var arguments = new List<string>();
        foreach (var (index, word) in words.Index().Skip(2))
            if (words[index - 1] == "-f")
                // A page without values refers to the reader's own.
                file = Write(values ?? "proxyUrl: registry.example.com");
            else if (words[index - 1] == "--version")
                Assert.That(word, Is.EqualTo(await VersionAsync()));
            else if (word is not ("-f" or "--version" or "--create-namespace" or "--install" or "--wait"))
                arguments.Add(word);
        Assert.That(await HelmChart.ObjectsAsync(file, [.. arguments]), Is.Not.Empty);
    }

    [TestCaseSource(nameof(InlineCommands))]
    public async Task The_text_names_commands_of_helm(string command)
    {
        var words = command.Split(' ')[1..].ToList();
        if (words.IndexOf("-n") is >= 0 and var flag)
            words.RemoveRange(flag, 2);
        Assert.That(Commands.Keys, Does.Contain(words[0]));
        Assert.That(words.Where(word => word.StartsWith('-')).Except(Commands[words[0]]), Is.Empty);
        if (words is not ["template", _, "chart", .. var arguments])
            return;
        Assert.That(await HelmChart.ObjectsAsync(Write("{}"), [.. arguments]), Is.Not.Empty);
    }

    [TestCaseSource(nameof(Sessions))]
    public async Task A_session_prints_what_is_shown(string session)
    {
        var (commands, shown) = (new List<string>(), new List<string>());
        foreach (var line in session.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            (line.StartsWith("$ ", StringComparison.Ordinal) ? commands : shown).Add(
                line.StartsWith("$ ", StringComparison.Ordinal) ? line[2..] : line
            );
        var (program, arguments) = ProxySwapperProgram.CommandOf([]);
        var function = $"proxyswapper() {{ {program} {string.Join(' ', arguments)} \"$@\"; }}";
        var (_, output, error) = await TestProcess.RunAsync("bash", ["-c", $"{function}\n{string.Join('\n', commands)}"]);
        Assert.That(output.TrimEnd('\n').Split('\n'), Is.EqualTo(shown), error);
    }

    private string Write(string values)
    {
        var file = _folder.PathOf($"{Guid.NewGuid():n}.yaml");
        File.WriteAllText(file, values);
        return file;
    }

    [GeneratedRegex(@"""?\$\([^)]*\)""?")]
    private static partial Regex Substitution();

    private static async Task<string> VersionAsync() =>
        (await File.ReadAllLinesAsync(Path.Combine(HelmChart.Folder, "Chart.yaml"))).Single(line =>
            line.StartsWith("version: ", StringComparison.Ordinal)
        )["version: ".Length..];
}
