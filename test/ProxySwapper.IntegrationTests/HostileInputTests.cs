using System.Text;
using ProxySwapper.Testing.Inputs;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests;

/// <summary>A sample of hostile files for the built program; the unit tests try 20,000 in process.</summary>
[TestFixture]
internal sealed class HostileInputTests
{
    private const int Seeds = 8;
    private const int FirstSeed = 7_000;

    [TestCase("serve", "--config")]
    [TestCase("validate", "--kind", "mirror")]
    [TestCase("rewrite", "-f")]
    [TestCase("disable", "--kubeconfig")]
    public async Task A_hostile_file_ends_the_program_with_a_message(params string[] command)
    {
        using var folder = new TemporaryFolder();
        var inputs = HostileInputs.ByHand.Where(text => text.Length > 10_000).ToList();
        inputs.AddRange(Enumerable.Range(FirstSeed, Seeds).Select(seed => new HostileInputs(seed).File()));
        foreach (var (index, text) in inputs.Index())
        {
            await File.WriteAllTextAsync(folder.PathOf("input"), text, new UTF8Encoding(false));
            var (exitCode, output, error) = await ProxySwapperProgram.RunAsync([.. command, folder.PathOf("input")]);
            var what = $"input {index}: {output}{error}";
            Assert.That(exitCode, Is.InRange(0, 2), what);
            Assert.That(
                output + error,
                Does.Not.Contain("\n   at ").And.Not.Contain("Unhandled exception").And.Not.Contain("internal error"),
                what
            );
        }
    }
}
