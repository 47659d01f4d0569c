using System.Text.RegularExpressions;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Registries;

namespace ProxySwapper.IntegrationTests.Copying;

/// <summary>
/// The output of <c>copy</c> and <c>mirror</c> on a terminal, which <c>script</c> (Debian's bsdutils) provides, and in a pipe.
/// </summary>
[TestFixture]
internal sealed partial class CopyProgressTests
{
    private const int LayerSize = 4 << 20;

    private InMemoryRegistry _source = null!;
    private InMemoryRegistry _target = null!;

    [SetUp]
    public async Task Start()
    {
        var slow = RegistryFaults.Drip(
            256 << 10,
            cancellationToken => Task.Delay(TimeSpan.FromMilliseconds(150), TimeProvider.System, cancellationToken)
        );
        _source = await InMemoryRegistry.StartAsync(
            new InMemoryRegistryOptions
            {
                Interceptor = (context, registry) =>
                    context.Request.Path.Value!.Contains("/blobs/", StringComparison.Ordinal) ? slow(context, registry) : registry(context),
            }
        );
        _target = await InMemoryRegistry.StartAsync();
        TestImage.Create(321, 2, LayerSize).AddTo(_source, "team/app", "1");
    }

    [TearDown]
    public async Task Stop()
    {
        await _source.DisposeAsync();
        await _target.DisposeAsync();
    }

    [Test]
    public async Task A_terminal_shows_a_bar_for_all_of_it_with_the_time_that_is_left()
    {
        var output = await RunOnTerminalAsync([], Arguments);
        Assert.That(ControlSequence.Replace(output, ""), Does.Match(@"total .*\d+(\.\d+)?/8\.0 MiB .*/s 00:00:0[1-9]"));
        Assert.That(output, Does.Contain(" copied in "));
    }

    /// <summary>backfill has the same output.</summary>
    [Test]
    public async Task A_terminal_shows_a_bar_for_each_tag_of_a_mirror_run_and_what_is_finished_above_them()
    {
        using var folder = new TemporaryFolder();
        TestImage.Create(322, 1, 1 << 20).AddTo(_source, "team/small", "1");
        await File.WriteAllTextAsync(
            folder.PathOf("replicant.yaml"),
            $"images: {{a: {{source: {_source.Address}/team/small, destination: {_target.Address}/mirror/small, mode: all}}}}"
        );
        var output = ControlSequence.Replace(
            await RunOnTerminalAsync([("REPLICANT_CONFIG_FILE", folder.PathOf("replicant.yaml"))], "mirror"),
            ""
        );
        Assert.That(output, Does.Match(@"\ba:1 \S+ \d\.\d/1\.0 MiB"), "the bar");
        Assert.That(output, Does.Match($@"copied .*{_source.Address}/team/small:1"), "the line that stays");
        Assert.That(output, Does.Match(@"REPOSITORY +COPIED +"), "the table");
    }

    [Test]
    public async Task A_pipe_gets_a_line_for_each_blob_and_how_long_it_took()
    {
        var (code, output, error) = await ProxySwapperProgram.RunAsync(Arguments);
        Assert.That(code, Is.Zero, error);
        Assert.That(output, Does.Match(@"copied   sha256:[0-9a-f]{12} 4 MiB\n"));
        Assert.That(output, Does.Match(@"3 blobs copied, 0 mounted, 0 already present; 8 MiB copied in [0-9.]+ s \(.*/s\)\n"));
        Assert.That(output, Does.Not.Contain("\u001b"));
    }

    private static async Task<string> RunOnTerminalAsync((string Name, string Value)[] variables, params string[] command)
    {
        var (file, arguments) = ProxySwapperProgram.CommandOf(command);
        var (code, output, error) = await TestProcess.RunAsync(
            "script",
            ["--quiet", "--return", "--command", $"stty cols 160 rows 40; {string.Join(' ', arguments.Prepend(file))}", "/dev/null"],
            variables.Append((Name: "TERM", Value: "xterm-256color")).ToDictionary(pair => pair.Name, pair => pair.Value)
        );
        Assert.That(code, Is.Zero, output + error);
        return output;
    }

    /// <summary>Colours and cursor movements (ECMA-48, section 5.4).</summary>
    [GeneratedRegex(@"\e\[[0-9;?]*[A-Za-z]")]
    private static partial Regex ControlSequence { get; }

    private string[] Arguments => ["copy", $"{_source.Address}/team/app:1", $"{_target.Address}/team/app:1"];
}
