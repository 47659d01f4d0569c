using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests.Checks;

/// <summary><c>proxyswapper validate</c> on the command line; FileValidationTests has what is found in which file.</summary>
[TestFixture]
internal sealed class ValidateCommandTests
{
    [Test]
    public async Task Files_of_every_kind_are_recognised_and_each_mistake_has_its_line()
    {
        using var folder = new TemporaryFolder();
        var config = Write("config.yaml", "rules: [{match: docker.io, target: r.example/hub}]\ncertificates: {secret: s, dnsNames: [a]}\n");
        var values = Write("values.yaml", "proxyUrl: r.example\nreplicas: 3\n");
        var mirror = Write("mirror.yaml", "images: {a: {source: a, destination: r.example/a, mode: semver}}\n");
        var either = Write("either.yaml", "proxyUrl: r.example\n");
        Assert.That(
            await ProxySwapperProgram.RunAsync(["validate", config, values, mirror, either]),
            Is.EqualTo(
                (
                    0,
                    $"{config}: valid configuration\n{values}: valid chart values\n{mirror}: valid mirror file\n"
                        + $"{either}: valid configuration and chart values\n",
                    ""
                )
            )
        );

        var broken = Write("broken.yaml", "replicas: many\nconfig:\n  rules:\n    - {matchRegex: \"(\", replace: r.example/$1}\n");
        var (exitCode, output, error) = await ProxySwapperProgram.RunAsync(["validate", broken, config]);
        Assert.That((exitCode, output), Is.EqualTo((2, $"{config}: valid configuration\n")));
        Assert.That(
            error,
            Does.StartWith($"{broken}: checked as chart values, decided by its keys; --kind sets the kind\n")
                .And.Contain($"\n{broken}:1:11: replicas: must be an integer\n")
                .And.Contain($"\n{broken}:4:20: config.rules[0].matchRegex: ")
        );

        string Write(string name, string text)
        {
            var file = folder.PathOf(name);
            File.WriteAllText(file, text);
            return file;
        }
    }
}
