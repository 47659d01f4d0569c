using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests.Packaging;

/// <summary><c>release/check</c> compares each line that names the version.</summary>
[TestFixture]
internal sealed class ReleaseVersionTests : IDisposable
{
    private const string Version = "0.1.0";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Test]
    public async Task A_line_with_another_version_is_found()
    {
        var tree = _folder.PathOf(".");
        string[] names = ["README.md", "CHANGELOG.md", "Directory.Build.props", "Dockerfile", "chart", "docs", "manifests", "release"];
        Assert.That((await TestProcess.RunAsync("cp", ["-r", .. names.Select(name => SourceTree.PathOf(name)), tree])).ExitCode, Is.Zero);
        var files = Directory
            .GetFiles(tree, "*", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(tree, path))
            // Versions since when a key exists, past versions, and examples of usage.
            .Where(file => Path.GetFileName(file) is not ("configuration.md" or "CHANGELOG.md"))
            .Where(file => !file.StartsWith("release", StringComparison.Ordinal));
        var missed = new List<string>();
        var checks = 0;
        foreach (var file in files)
        {
            var path = Path.Combine(tree, file);
            var lines = await File.ReadAllLinesAsync(path);
            foreach (var line in lines.Where(line => line.Contains(Version, StringComparison.Ordinal)).Distinct().ToList())
            {
                var index = Array.IndexOf(lines, line);
                lines[index] = line.Replace(Version, "0.0.9", StringComparison.Ordinal);
                await File.WriteAllLinesAsync(path, lines);
                var (exitCode, _, error) = await TestProcess.RunAsync(Path.Combine(tree, "release", "check"), [$"v{Version}"]);
                if (exitCode != 1 || !error.StartsWith($"{file}: ", StringComparison.Ordinal))
                    missed.Add($"{file}:{index + 1}: {line}");
                lines[index] = line;
                checks++;
            }
            await File.WriteAllLinesAsync(path, lines);
        }
        Assert.That(missed, Is.Empty);
        Assert.That(checks, Is.GreaterThan(20));
    }
}
