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
}
