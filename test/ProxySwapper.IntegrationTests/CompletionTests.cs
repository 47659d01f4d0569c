using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests;

/// <summary>The scripts of <c>completion</c> in their shells: how Tab completes a line.</summary>
[TestFixture]
internal sealed class CompletionTests : IDisposable
{
    /// <summary>A key that prints the line and ends the shell.</summary>
    private const string PrintLine = "\u0018";

    private TemporaryFolder _folder = null!;

    [OneTimeSetUp]
    public void Install()
    {
        _folder = new TemporaryFolder();
        foreach (var name in new[] { "proxyswapper", "kubectl-proxyswapper" })
            File.CreateSymbolicLink(_folder.PathOf(name), ProxySwapperProgram.File);
        _folder.Write(
            ".bashrc",
            """
            source <(proxyswapper completion bash)
            bind -x '"\C-x": printf "LINE=[%s]\n" "$READLINE_LINE"; exit'
            """
        );
        _folder.Write(
            ".zshrc",
            """
            autoload -Uz compinit && compinit -u -D
            source <(proxyswapper completion zsh)
            finish() { print -r "LINE=[$BUFFER]"; exit }
            zle -N finish
            bindkey '^I' complete-word
            bindkey '^X' finish
            """
        );
        // As users install it: zsh loads it at the first Tab.
        Directory.CreateDirectory(_folder.PathOf("autoload"));
        _folder.Write(
            "autoload/.zshrc",
            $"""
            proxyswapper completion zsh > "$ZDOTDIR/_proxyswapper"
            fpath=("$ZDOTDIR" $fpath)
            {File.ReadAllText(_folder.PathOf(".zshrc")).Replace("source <(proxyswapper completion zsh)\n", "", StringComparison.Ordinal)}
            """
        );
    }

    public void Dispose() => _folder.Dispose();

    [TestCase("proxyswapper rep", "proxyswapper report ")]
    [TestCase("proxyswapper report --fail", "proxyswapper report --fail-on ")]
    [TestCase("proxyswapper report -o h", "proxyswapper report -o html ")]
    [TestCase("true; proxyswapper completion f", "true; proxyswapper completion fish ")]
    [TestCase("kubectl-proxyswapper backf", "kubectl-proxyswapper backfill ")]
    public async Task Tab_completes_a_line(string typed, string completed)
    {
        Assert.That(await BashAsync(typed), Does.Contain($"LINE=[{completed}]"), "bash");
        Assert.That(await ZshAsync(typed, _folder.PathOf("")), Does.Contain($"LINE=[{completed}]"), "zsh");
        Assert.That(await ZshAsync(typed, _folder.PathOf("autoload")), Does.Contain($"LINE=[{completed}]"), "zsh, from fpath");
        Assert.That(await FishAsync(typed), Is.EqualTo(completed.TrimEnd().Split(' ')[^1]), "fish");
    }

    [Test]
    public async Task Files_are_completed_where_a_file_is_wanted()
    {
        var file = _folder.PathOf("values-of-production.yaml");
        await File.WriteAllTextAsync(file, "");
        var typed = $"proxyswapper validate {_folder.PathOf("values-of")}";
        Assert.That(await BashAsync(typed), Does.Contain($"LINE=[proxyswapper validate {file} ]"), "bash");
        Assert.That(await ZshAsync(typed, _folder.PathOf("")), Does.Contain($"LINE=[proxyswapper validate {file} ]"), "zsh");
        Assert.That(await FishAsync(typed), Is.EqualTo(file), "fish");
    }

    private Task<string> BashAsync(string typed) => TypeAsync("bash --rcfile \"$HOME/.bashrc\" -i", typed, Environment());

    private Task<string> ZshAsync(string typed, string folder) =>
        TypeAsync("zsh -i", typed, new Dictionary<string, string>(Environment()) { ["ZDOTDIR"] = folder });

    private async Task<string> FishAsync(string typed)
    {
        var (code, output, error) = await TestProcess.RunAsync(
            "fish",
            ["--no-config", "-c", $"proxyswapper completion fish | source; complete -C '{typed}'"],
            Environment()
        );
        Assert.That((code, error), Is.EqualTo((0, "")));
        return output.TrimEnd();
    }

    /// <returns>The output of an interactive shell for a line, a Tab, and the key that prints the line.</returns>
    private static async Task<string> TypeAsync(string shell, string typed, IReadOnlyDictionary<string, string> environment) =>
        (
            await TestProcess.RunAsync(
                "script",
                ["--quiet", "--return", "--command", $"stty cols 300 rows 40; exec {shell}", "/dev/null"],
                environment,
                $"{typed}\t{PrintLine}"
            )
        ).Output;

    private Dictionary<string, string> Environment() =>
        new()
        {
            ["HOME"] = _folder.PathOf(""),
            ["PATH"] = $"{_folder.PathOf("")}:{System.Environment.GetEnvironmentVariable("PATH")}",
            ["SHELL"] = "/bin/bash",
            ["TERM"] = "dumb",
        };
}
