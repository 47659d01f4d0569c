using ProxySwapper.Commands;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Tests.Commands;

/// <summary>What <c>report</c> and <c>backfill</c> of manifests exit with: CI must not pass for what was not checked.</summary>
[TestFixture, NonParallelizable]
internal sealed class ReportCommandTests
{
    private const string Pod = "{kind: Pod, metadata: {name: web, namespace: team}, spec: {containers: [{image: 'IMAGE'}]}}";
    private const string ConfigMap = "{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}}";
    private const string EmptyList = "{apiVersion: v1, kind: List, items: []}";
    private const string Rules = """
        rules:
          - match: quay.io
            target: r.example/quay
          - matchRegex: 'registry(:\d+)/(.*)'
            replace: 'r.example/$1/$2'
        """;

    private static readonly string[] FailOn = ["--fail-on", "missing", "--fail-on", "unswapped"];

    private TemporaryFolder _folder = null!;
    private TextWriter _output = null!;
    private TextWriter _error = null!;

    [SetUp]
    public void SaveConsole() => (_folder, _output, _error) = (new TemporaryFolder(), Console.Out, Console.Error);

    [TearDown]
    public void RestoreConsole()
    {
        Console.SetOut(_output);
        Console.SetError(_error);
        _folder.Dispose();
    }

    [TestCase("", null, "app.yaml: no images found")]
    [TestCase("# nothing", null, "app.yaml: no images found")]
    [TestCase(ConfigMap, null, "app.yaml: no images found")]
    [TestCase(EmptyList, null, "app.yaml: no images found")]
    [TestCase(Pod, "tema", "app.yaml: no images found in namespace tema; it has images in team")]
    public async Task A_report_or_a_backfill_of_nothing_fails(string manifests, string? only, string problem)
    {
        foreach (
            var command in (string[][])
                [
                    ["report", .. FailOn],
                    ["report"],
                    ["backfill"],
                ]
        )
        {
            var (exitCode, output) = await RunAsync(command, only, manifests);
            Assert.That(exitCode, Is.EqualTo(1), output);
            Assert.That(output, Does.Contain($"Unknown: {_folder.PathOf(problem)}\n"));
        }
    }

    [Test]
    public async Task Of_several_files_each_has_manifests_but_not_each_has_images()
    {
        var image = Pod.Replace("IMAGE", "nginx", StringComparison.Ordinal);
        var swapped = Pod.Replace("IMAGE", "quay.io/team/app:1", StringComparison.Ordinal);
        var (exitCode, output) = await RunAsync(["report", "--no-check", "--fail-on", "unswapped"], null, swapped, ConfigMap, EmptyList);
        Assert.That(exitCode, Is.Zero, output);
        Assert.That(output, Does.Not.Contain("Unknown"));
        (exitCode, output) = await RunAsync(["report", "--no-check", "--fail-on", "unswapped"], null, image, "");
        Assert.That(exitCode, Is.EqualTo(1), output);
        Assert.That(output, Does.Contain("app1.yaml: no images found\n").And.Not.Contain("app.yaml: no"));
    }

    [TestCase("Nginx:1", "missing", ExpectedResult = 1)]
    [TestCase("app:${TAG}", "missing", ExpectedResult = 1)]
    [TestCase("Nginx:1", "unswapped", ExpectedResult = 1)]
    [TestCase("registry:5000/app:1", "unswapped", ExpectedResult = 1, Description = "its target would be invalid")]
    [TestCase("registry:5000/app:1", "missing", ExpectedResult = 0, Description = "it is pulled from its source")]
    [TestCase("nginx:1", "unswapped", ExpectedResult = 1)]
    [TestCase("nginx:1", "missing", ExpectedResult = 0)]
    [TestCase("r.example/quay/app:1", "unswapped", ExpectedResult = 0)]
    public async Task<int> States_that_fail_include_images_that_are_not_references(string image, string state)
    {
        string[] check = state == "missing" ? [] : ["--no-check"];
        var (exitCode, output) = await RunAsync(
            ["report", .. check, "--fail-on", state],
            null,
            Pod.Replace("IMAGE", image, StringComparison.Ordinal)
        );
        Assert.That(
            output.Contains("1 image is not a valid reference and cannot be pulled.\n", StringComparison.Ordinal),
            Is.EqualTo(output.Contains("invalid image\n", StringComparison.Ordinal)),
            output
        );
        return exitCode;
    }

    private async Task<(int ExitCode, string Output)> RunAsync(string[] command, string? only, params string[] manifests)
    {
        var config = _folder.PathOf("config.yaml");
        await File.WriteAllTextAsync(config, Rules);
        var arguments = new List<string>([.. command, "--config", config]);
        if (only is not null)
            arguments.AddRange(["-n", only]);
        foreach (var (index, text) in manifests.Index())
        {
            var file = _folder.PathOf(index == 0 ? "app.yaml" : $"app{index}.yaml");
            await File.WriteAllTextAsync(file, text);
            arguments.AddRange(["-f", file]);
        }
        using var console = new StringWriter { NewLine = "\n" };
        Console.SetOut(console);
        Console.SetError(console);
        return (await CommandTree.RunAsync([.. arguments]), console.ToString());
    }
}
