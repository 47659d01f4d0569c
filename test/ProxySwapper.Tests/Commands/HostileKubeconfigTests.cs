using System.Text;
using ProxySwapper.Commands;
using ProxySwapper.Kubernetes.InMemory;
using ProxySwapper.Testing.Inputs;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Tests.Commands;

/// <summary>
/// Kubeconfigs with one odd value, each used for requests to an API server: either they succeed, or the message is about the kubeconfig or
/// comes from the server. A request that cannot be made is not the server's fault.
/// </summary>
[TestFixture, NonParallelizable]
internal sealed class HostileKubeconfigTests
{
    /// <summary>Keys whose value decides where a request goes.</summary>
    private static readonly string[] Leading = ["server", "proxy-url"];

    private TextWriter _output = null!;
    private TextWriter _error = null!;

    [SetUp]
    public void SaveConsole() => (_output, _error) = (Console.Out, Console.Error);

    [TearDown]
    public void RestoreConsole()
    {
        Console.SetOut(_output);
        Console.SetError(_error);
    }

    [Test]
    public async Task Every_value_is_used_or_rejected_in_sentences()
    {
        // So old that it has no gated Pods, for which disable would wait.
        await using var server = await InMemoryApiServer.StartAsync(new InMemoryApiServerOptions { MinorVersion = 26 });
        using var folder = new TemporaryFolder();
        var file = folder.PathOf("config");
        var (wrong, count, succeeded) = (new List<string>(), 0, 0);
        foreach (var (key, value, text) in HostileKubeconfigs.All(server.Address.AbsoluteUri))
        {
            await File.WriteAllTextAsync(file, text, new UTF8Encoding(false));
            var (exitCode, printed) = await RunAsync("disable", "--kubeconfig", file);
            count++;
            succeeded += exitCode == 0 ? 1 : 0;
            if ((Sentences.WrongIn(exitCode, printed) ?? WrongIn(exitCode, printed, key)) is { } what)
                wrong.Add($"{key}: {value}: {what}: {printed[..Math.Min(printed.Length, 1000)]}");
        }
        await TestContext.Out.WriteLineAsync($"{count} kubeconfigs, {succeeded} of them can be used");
        Assert.That(wrong, Is.Empty, string.Join("\n", wrong));
        Assert.That(succeeded, Is.GreaterThan(count / 5), "many odd values have no effect");
    }

    private static string? WrongIn(int exitCode, string printed, string key) =>
        // The file with its line, one that it names, or the plugin.
        exitCode == 2
        && !printed.StartsWith('/')
        && !printed.StartsWith("The credential plugin ", StringComparison.Ordinal)
            ? "it does not say where"
        : printed.Contains("no response", StringComparison.Ordinal) && !Leading.Contains(key) ? "the request was not made"
        : printed.Contains("(Parameter '", StringComparison.Ordinal) ? "it is the runtime's message"
        : null;

    private static async Task<(int ExitCode, string Printed)> RunAsync(params string[] arguments)
    {
        using var console = new StringWriter();
        Console.SetOut(console);
        Console.SetError(console);
        var exitCode = await CommandTree.RunAsync(arguments);
        return (exitCode, console.ToString());
    }
}
