using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests.Packaging;

/// <summary><c>test/run</c> with a stand-in for dotnet and nothing to set up, interrupted by Ctrl-C, which all its processes get.</summary>
[TestFixture]
internal sealed class TestRunTests : IDisposable
{
    /// <summary>Runs <c>test/run</c> in a process group of its own until $1 succeeds, and interrupts the group.</summary>
    private const string Interrupt = """
        set -m
        PATH=$PWD/programs:$PATH test/run --without-cluster >output 2>&1 &
        until eval "$1"; do
          if ! kill -0 $! 2>/dev/null; then break; fi
          sleep 0.05
        done
        kill -INT -- -$!
        code=0
        wait $! || code=$?
        cat output
        exit "$code"
        """;

    /// <summary>Lists three tests; the run ends one of them, if there is a file, and goes on for as long as it may.</summary>
    private const string Dotnet = """
        case $* in
          --version) echo 10.0.0 ;;
          *--list-tests*) printf '    %s\n' Some.First.One Some.Second.One Some.Second.Two ;;
          test*)
            if [[ -e one-ends ]]; then echo '  Passed Some.Second.One [1 ms]'; fi
            touch tests-run
            exec sleep 300
            ;;
          "$(cat slow-step)"*) touch step-runs; exec sleep 300 ;;
        esac
        """;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [SetUp]
    public void Copy()
    {
        Directory.CreateDirectory(_folder.PathOf("test/setup"));
        Directory.CreateDirectory(_folder.PathOf("programs"));
        foreach (var script in new[] { "test/run", "test/progress.sh" })
            File.Copy(SourceTree.PathOf(script), _folder.PathOf(script), overwrite: true);
        foreach (var script in new[] { "packages", "helm", "schemas" })
            _folder.WriteScript($"test/setup/{script}", "if [[ ${1:-} == --plan ]]; then echo there; fi");
        _folder.WriteScript("programs/dotnet", Dotnet);
        _folder.Write("slow-step", "none");
        foreach (var file in new[] { "one-ends", "tests-run", "step-runs" })
            File.Delete(_folder.PathOf(file));
    }

    [TestCase("restore")]
    [TestCase("build")]
    public async Task An_interrupted_step_is_told_and_ends_the_run_with_one(string step)
    {
        _folder.Write("slow-step", step);
        var (exitCode, output) = await InterruptAsync("[[ -e step-runs ]]");
        Assert.That(exitCode, Is.EqualTo(1), output);
        Assert.That(output, Does.Contain($"{step}: INTERRUPTED after ").And.EndWith("\nThe run was interrupted.\n"));
    }

    [Test]
    public async Task An_interrupted_installation_is_told_and_ends_the_run_with_one()
    {
        _folder.WriteScript("test/setup/packages", "touch step-runs; exec sleep 300");
        var (exitCode, output) = await InterruptAsync("[[ -e step-runs ]]");
        Assert.That((exitCode, output.EndsWith("\nThe run was interrupted.\n", StringComparison.Ordinal)), Is.EqualTo((1, true)), output);
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task Interrupted_tests_are_told_with_the_fixtures_that_had_begun(bool hasBegun)
    {
        if (hasBegun)
            _folder.Write("one-ends", "");
        var (exitCode, output) = await InterruptAsync(
            hasBegun
                ? "grep -qs ^Passed TestResults/ProxySwapper.Tests.ended"
                : "[[ -e tests-run && -e TestResults/ProxySwapper.Tests.ended ]]"
        );
        Assert.That(exitCode, Is.EqualTo(1), output);
        Assert.That(
            output,
            Does.Contain($"ProxySwapper.Tests was cut off. Tests that never ended: {(hasBegun ? 2 : 3)}.\n")
                .And.Contain("\nFixtures with tests that never ended:\n  Some.First (1)\n")
                .And.EndWith("\nThe run was interrupted.\n")
        );
        Assert.That(
            output.Contains("Fixtures of which some tests had ended:\n  Some.Second\n", StringComparison.Ordinal),
            Is.EqualTo(hasBegun),
            output
        );
        Assert.That(output.Contains("some tests had ended", StringComparison.Ordinal), Is.EqualTo(hasBegun), output);
    }

    private async Task<(int ExitCode, string Output)> InterruptAsync(string condition)
    {
        var start = TestProcess.StartInfo("bash", ["-c", Interrupt, "bash", condition]);
        start.WorkingDirectory = _folder.PathOf("");
        // Its error output only says how its job ended.
        var (exitCode, output, _) = await TestProcess.RunAsync(start);
        return (exitCode, output);
    }
}
