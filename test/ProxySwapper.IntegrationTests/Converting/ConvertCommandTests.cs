using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests.Converting;

/// <summary><c>proxyswapper convert</c> on the command line; conversions are tested by testdata/convert of the unit tests.</summary>
[TestFixture]
internal sealed class ConvertCommandTests : IDisposable
{
    private const string Swapper = """
        target:
          aws: {accountId: "123456789012", region: eu-central-1}
        """;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Test]
    public async Task A_complete_conversion_ends_with_0_and_its_result_is_valid()
    {
        var (exitCode, output, error) = await RunAsync(Swapper, "convert", "-");
        Assert.That((exitCode, error), Is.EqualTo((0, "")));
        Assert.That(output, Does.Contain("target: \"123456789012.dkr.ecr.eu-central-1.amazonaws.com/{registry}\""));
        var file = _folder.PathOf("config.yaml");
        await File.WriteAllTextAsync(file, output);
        Assert.That((await RunAsync("", "validate", file)).Output, Is.EqualTo($"{file}: valid configuration\n"));
        var (_, rewritten, _) = await RunAsync("", "rewrite", "--config", file, "quay.io/coreos/etcd:v3");
        Assert.That(rewritten, Does.Contain("-> 123456789012.dkr.ecr.eu-central-1.amazonaws.com/quay.io/coreos/etcd:v3"));
    }

    [Test]
    public async Task A_partial_conversion_ends_with_1_and_reports_lines()
    {
        var (exitCode, output, error) = await RunAsync($"{Swapper}\nunheardOf: 1\n", "convert", "-");
        Assert.That((exitCode, error), Is.EqualTo((1, "not converted: (standard input):3:1: unheardOf: has no counterpart\n")));
        Assert.That(output, Does.Contain("#   line 3: unheardOf: has no counterpart\n").And.Contain("rules:"));
    }

    [Test]
    public async Task Faults_of_the_result_are_reported_too()
    {
        var (exitCode, _, error) = await RunAsync(
            "quay.io: {images: {a: []}, images-by-semver: {b: nonsense}}",
            "convert",
            "--target",
            "r.example",
            "-"
        );
        Assert.That(exitCode, Is.EqualTo(1));
        Assert.That(error, Does.StartWith("the result is not valid yet: (result):").And.Contain("'nonsense' is not a valid"));
    }

    [TestCase("a: b", "unknown format; name it with --from", "convert", "-")]
    [TestCase("[]", "must be a mapping of keys to values", "convert", "--from", "regsync", "-")]
    [TestCase("sync: []", "--target must be a registry", "convert", "--target", "https://x.example", "-")]
    [TestCase("a: b", "--from must be one of auto, k8s-image-swapper, ", "convert", "--from", "other", "-")]
    public async Task An_invalid_file_ends_with_2(string input, string message, params string[] arguments)
    {
        var (exitCode, output, error) = await RunAsync(input, arguments);
        Assert.That((exitCode, output), Is.EqualTo((2, "")));
        Assert.That(error, Does.Contain(message));
    }

    private static Task<(int ExitCode, string Output, string Error)> RunAsync(string input, params string[] arguments) =>
        ProxySwapperProgram.RunWithInputAsync(input, arguments);
}
