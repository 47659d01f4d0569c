using System.Diagnostics;

namespace ProxySwapper.IntegrationTests;

[TestFixture]
internal sealed class ProgramTests
{
    [Test]
    public async Task Help_is_printed()
    {
        using var program = Process.Start(new ProcessStartInfo("dotnet", ["exec", Path.Combine(AppContext.BaseDirectory, "proxyswapper.dll"), "--help"]) { RedirectStandardOutput = true })!;
        var output = await program.StandardOutput.ReadToEndAsync();
        await program.WaitForExitAsync();
        Assert.That((program.ExitCode, output.Contains("Usage:", StringComparison.Ordinal)), Is.EqualTo((0, true)));
    }
}
