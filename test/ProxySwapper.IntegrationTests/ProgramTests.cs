using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests;

[TestFixture]
internal sealed class ProgramTests
{
    [Test]
    public async Task Help_is_printed()
    {
        var (exitCode, output, _) = await ProxySwapperProgram.RunAsync(["--help"]);
        Assert.That((exitCode, output.Contains("Usage:", StringComparison.Ordinal)), Is.EqualTo((0, true)));
    }

    [Test]
    public async Task Named_as_a_kubectl_plugin_help_shows_what_people_type()
    {
        using var folder = new TemporaryFolder();
        var plugin = folder.PathOf("kubectl-proxyswapper");
        File.CreateSymbolicLink(plugin, ProxySwapperProgram.File);
        var help = await TestProcess.RunAsync(plugin, ["report", "--help"]);
        Assert.That(help.Output, Does.Contain("  kubectl proxyswapper report [options]").And.Contain("  kubectl proxyswapper report -"));
        var wrong = await TestProcess.RunAsync(plugin, ["report", "--nonsense"]);
        Assert.That((wrong.ExitCode, wrong.Error), Is.EqualTo((2, wrong.Error)));
        Assert.That(wrong.Error, Does.Contain("try 'kubectl proxyswapper report --help'"));
    }
}
