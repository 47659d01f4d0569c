using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.IntegrationTests;

/// <summary>The output of commands for common invocations and mistakes.</summary>
[TestFixture]
internal sealed class CommandLineTests
{
    private const string ClosedPort = "localhost:1";

    [TestCase("missing/report.json", "Could not find")]
    [TestCase("", "it is a directory")]
    public async Task A_report_that_cannot_be_written_is_rejected_before_the_first_request(string path, string reason)
    {
        using var folder = new TemporaryFolder();
        var file = folder.PathOf("mirror.yaml");
        await File.WriteAllTextAsync(
            file,
            $"images:\n  app: {{source: {ClosedPort}/team/app, destination: {ClosedPort}/mirror/app, mode: all}}\n"
        );
        var report = folder.PathOf(path);
        var (exitCode, output, error) = await ProxySwapperProgram.RunAsync(["mirror", "--config-file", file, "--report", report]);
        Assert.That(exitCode, Is.EqualTo(2), output + error);
        Assert.That(error.Trim(), Does.Contain(report).And.Contain(reason).And.Not.Contain("\n").And.Not.Contain("Retrying"));
    }

    [Test]
    public async Task A_report_whose_disk_fills_during_the_run_is_an_error_after_the_result()
    {
        await using var registry = await InMemoryRegistry.StartAsync();
        TestImage.Create(1, layers: 1).AddTo(registry, "team/app", "1");
        using var folder = new TemporaryFolder();
        var file = folder.PathOf("mirror.yaml");
        await File.WriteAllTextAsync(
            file,
            $"images:\n  app: {{source: {registry.Address}/team/app, destination: {registry.Address}/mirror/app, mode: all}}\n"
        );
        var (exitCode, output, error) = await ProxySwapperProgram.RunAsync(["mirror", "-c", file, "--report", "/dev/full"]);
        Assert.That(
            (exitCode, error.Trim()),
            Is.EqualTo((1, "cannot write --report /dev/full: No space left on device : '/dev/full'")),
            output + error
        );
        Assert.That(output, Does.Contain("1 copied"));
        Assert.That(registry.Repository("mirror/app").Tags.Keys, Is.EqualTo(["1"]));
    }

    [TestCase("rewrit nginx", "unknown command 'rewrit'; valid commands are serve, demo, rewrite, ")]
    [TestCase("credential fetch", "unknown command 'fetch'; valid commands are serve")]
    [TestCase("--verson", "unknown option '--verson'")]
    [TestCase("", "a command is required; valid commands are serve, ")]
    public async Task An_unknown_command_is_reported_first(string arguments, string message)
    {
        var (exitCode, output, error) = await ProxySwapperProgram.RunAsync(arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.That((exitCode, output), Is.EqualTo((2, "")));
        Assert.That(error, Does.StartWith(message).And.Contain("\ntry '").And.Not.Contain("Required"));
    }

    /// <summary>A full disk below the output.</summary>
    [TestCase("version", "> /dev/full")]
    [TestCase("rewrite nginx", "> /dev/full")]
    [TestCase("completion bash", "> /dev/full")]
    [TestCase("--help", "> /dev/full")]
    [TestCase("rewrite nginx", ">&-")]
    [TestCase("mirror --dry-run --config-file $MIRROR", "> /dev/full")]
    [TestCase("rewrite --config missing.yaml nginx", "2> /dev/full")]
    public async Task An_output_that_cannot_be_written_ends_a_command(string arguments, string redirection)
    {
        using var folder = new TemporaryFolder();
        var file = folder.PathOf("mirror.yaml");
        await File.WriteAllTextAsync(file, $"images: {{app: {{source: {ClosedPort}/a, destination: {ClosedPort}/b, mode: all}}}}\n");
        var (exitCode, output, error) = await TestProcess.RunAsync(
            "bash",
            ["-c", $"MIRROR={file}; exec {ProxySwapperProgram.File} {arguments} {redirection}"]
        );
        Assert.That(exitCode, Is.EqualTo(1).Or.EqualTo(2), output + error);
        Assert.That(output + error, Does.Not.Contain("   at ").And.Not.Contain("Unhandled"));
        if (redirection[0] == '>')
            Assert.That(error, Does.Contain("cannot write the output: "));
    }

    /// <summary>As with a standard input that is a terminal, or of a command that hangs.</summary>
    [TestCase("rewrite -f PIPE", 143)]
    [TestCase("validate PIPE", 143)]
    [TestCase("backfill -f PIPE", 1)]
    public async Task A_command_that_waits_for_its_input_can_be_interrupted(string arguments, int expected)
    {
        var (exitCode, output) = (0, "");
        // A signal that comes before a command handles signals, just after it has opened the pipe, ends any process.
        for (var attempt = 0; attempt < 5 && exitCode != expected; attempt++)
            (exitCode, output) = await InterruptAsync(arguments);
        Assert.That(exitCode, Is.EqualTo(expected), output);
    }

    private static async Task<(int ExitCode, string Output)> InterruptAsync(string arguments)
    {
        using var folder = new TemporaryFolder();
        var pipe = folder.PathOf("pipe");
        Assert.That((await TestProcess.RunAsync("mkfifo", [pipe])).ExitCode, Is.Zero);
        using var process = ProxySwapperProgram.Start(
            arguments.Split(' ').Select(word => word == "PIPE" ? pipe : word),
            ("PROXY_URL", "registry.example.com")
        );
        // Opening it ends when the program opens it too.
        await using var input = await Task.Run(() => new FileStream(pipe, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
            .WaitAsync(TimeSpan.FromMinutes(2), TimeProvider.System);
        // Not SIGINT, which everything ignores that a background job of a shell starts; the program handles both in the same way.
        process.Signal(PosixSignal.SIGTERM);
        return (await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(2), TimeProvider.System), process.Output);
    }

    [Test]
    public async Task Retries_are_reported_while_nothing_responds()
    {
        using var copy = ProxySwapperProgram.Start(["copy", $"{ClosedPort}/team/app:1", $"{ClosedPort}/mirror/app:1"]);
        await TestWait.UntilAsync(() => copy.Output.Contains("Retrying in ", StringComparison.Ordinal), "a retry that is reported");
        Assert.That(copy.Output, Does.Contain($"HEAD {ClosedPort}/").And.Contain("Connection refused"));
    }

    [Test]
    public async Task Serving_without_rules_warns_before_it_is_ready()
    {
        await using var webhook = await ProxySwapperProcess.StartAsync("logFormat: json");
        await TestWait.UntilAsync(() => webhook.Log.Contains("\"message\":\"Ready\"", StringComparison.Ordinal), "the line of readiness");
        var lines = webhook
            .Log.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonNode.Parse(line)!)
            .Select(line => ($"{line["level"]}", $"{line["message"]}"))
            .ToList();
        var warning = lines.FindIndex(line =>
            line is ("warn", var message) && message.StartsWith("No rules and no proxyUrl", StringComparison.Ordinal)
        );
        Assert.That(warning, Is.InRange(0, lines.IndexOf(("info", "Ready")) - 1));
    }

    [Test]
    public async Task Text_is_logged_where_it_is_requested()
    {
        await using var webhook = await ProxySwapperProcess.StartAsync("logFormat: text");
        await TestWait.UntilAsync(() => webhook.Log.Contains(": Ready", StringComparison.Ordinal), "the line of readiness");
        Assert.That(webhook.Log, Does.Contain(" INF ProxySwapper.").And.Not.Contain("{\"time\""));
    }

    [Test]
    public async Task What_follows_two_dashes_is_an_image()
    {
        var (exitCode, output, error) = await ProxySwapperProgram.RunAsync(["rewrite", "--", "-a"], ("PROXY_URL", "registry.example.com"));
        Assert.That((exitCode, error), Is.EqualTo((1, "")));
        Assert.That(output, Does.StartWith("-a (unchanged: its repository must consist of"));
    }
}
