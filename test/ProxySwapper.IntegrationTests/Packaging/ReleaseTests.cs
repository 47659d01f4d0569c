using System.Formats.Tar;
using System.IO.Compression;
using System.Text.Json.Nodes;
using ProxySwapper.IntegrationTests.Chart;
using ProxySwapper.Testing.Documentation;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests.Packaging;

/// <summary>The release scripts without GitHub: their calls of helm, Docker, cosign and gh are recorded.</summary>
[TestFixture]
internal sealed class ReleaseTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Test]
    public async Task Actionlint_accepts_the_workflows()
    {
        var files = Directory.GetFiles(SourceTree.PathOf(".github", "workflows"), "*.yml");
        Assert.That(await SchemaCheck.WorkflowsAsync(files), Is.Empty);
        var wrong = _folder.PathOf("wrong.yml");
        await File.WriteAllTextAsync(
            wrong,
            (await File.ReadAllTextAsync(files[0])).Replace("hashFiles(", "hashFile(", StringComparison.Ordinal)
        );
        Assert.That(await SchemaCheck.WorkflowsAsync([wrong]), Has.One.Contains("hashFile"));
    }

    [Test]
    public async Task Bash_accepts_the_scripts()
    {
        foreach (var script in Directory.GetFiles(SourceTree.PathOf("release")))
            Assert.That((await TestProcess.RunAsync("bash", ["-n", script])).Error, Is.Empty);
    }

    [Test]
    public async Task A_tag_is_released_when_every_file_says_its_version()
    {
        var chart = await File.ReadAllLinesAsync(Path.Combine(HelmChart.Folder, "Chart.yaml"));
        var version = chart.Single(line => line.StartsWith("version: ", StringComparison.Ordinal))["version: ".Length..];
        var (exitCode, output, error) = await RunAsync(SourceTree.Root, "check", [$"v{version}", "ProxySwapper/ProxySwapper"]);
        Assert.That((exitCode, output, error), Is.EqualTo((0, $"version={version}\n", "")));
        (exitCode, _, error) = await RunAsync(SourceTree.Root, "check", ["v0.2.0", "somebody/fork"]);
        Assert.That(exitCode, Is.EqualTo(1));
        foreach (
            var file in (string[])["Directory.Build.props", "chart/Chart.yaml", "Dockerfile", "manifests/kustomization.yaml", "README.md"]
        )
            Assert.That(error, Does.Contain($"{file}: ").And.Contain($"'{version}', the tag says 0.2.0"));
        Assert.That(error, Does.Contain("nothing under '## [0.2.0]'"));
        Assert.That(error, Does.Contain("this repository publishes ghcr.io/somebody/fork"));
    }

    [Test]
    public async Task A_version_without_a_date_in_the_changelog_is_not_released()
    {
        var tree = CopyOfTree();
        await RenameVersionAsync(tree, "[0.1.0]");
        var (exitCode, _, error) = await RunAsync(tree, "check", ["v0.1.0"]);
        Assert.That((exitCode, error), Is.EqualTo((1, "CHANGELOG.md: '## [0.1.0]' has no date; write '## [0.1.0] - YYYY-MM-DD'\n")));
    }

    [TestCase("0.1.0")]
    [TestCase("v1.2")]
    [TestCase("v1.2.3;id")]
    public async Task Other_tags_are_rejected(string tag)
    {
        var (exitCode, output, error) = await RunAsync(SourceTree.Root, "check", [tag]);
        Assert.That((exitCode, output), Is.EqualTo((1, "")));
        Assert.That(error, Does.Contain($"tag '{tag}' is not a version such as v1.2.3"));
    }

    [Test]
    public async Task The_packed_chart_is_the_charts_folder_and_the_same_each_time()
    {
        var (_, first, error) = await RunAsync(SourceTree.Root, "chart", [_folder.PathOf("first")]);
        var (_, second, _) = await RunAsync(SourceTree.Root, "chart", [_folder.PathOf("second")]);
        Assert.That(error, Is.Empty);
        Assert.That(Path.GetFileName(first.Trim()), Is.EqualTo("proxyswapper-0.1.0.tgz"));
        Assert.That(await File.ReadAllBytesAsync(second.Trim()), Is.EqualTo(await File.ReadAllBytesAsync(first.Trim())));

        var unpacked = Directory.CreateDirectory(_folder.PathOf("unpacked")).FullName;
        await using (var archive = new GZipStream(File.OpenRead(first.Trim()), CompressionMode.Decompress))
            await TarFile.ExtractToDirectoryAsync(archive, unpacked, overwriteFiles: false);
        foreach (var path in Directory.GetFiles(HelmChart.Folder, "*", SearchOption.AllDirectories))
            Assert.That(
                await File.ReadAllBytesAsync(Path.Combine(unpacked, "proxyswapper", Path.GetRelativePath(HelmChart.Folder, path))),
                Is.EqualTo(await File.ReadAllBytesAsync(path))
            );
    }

    [Test]
    public async Task The_SBOM_is_CycloneDX_and_names_the_packages()
    {
        var file = _folder.PathOf("proxyswapper.cdx.json");
        var (exitCode, output, error) = await RunAsync(CopyOfSources(), "sbom", ["7.8.9", file]);
        Assert.That(exitCode, Is.Zero, output + error);
        var bom = JsonNode.Parse(await File.ReadAllTextAsync(file))!;
        Assert.That(((string?)bom["bomFormat"], (string?)bom["metadata"]!["component"]!["version"]), Is.EqualTo(("CycloneDX", "7.8.9")));
        var names = bom["components"]!.AsArray().Select(component => (string?)component!["name"]).ToList();
        Assert.That(names, Does.Contain("YamlDotNet").And.Contain("AWSSDK.Core").And.Contain("Azure.Identity"));
        Assert.That(names, Has.None.EqualTo("Microsoft.CodeAnalysis.BannedApiAnalyzers"), "a build tool, not part of the program");
    }

    [Test]
    public async Task The_image_is_built_for_both_processors_and_its_digest_handed_on()
    {
        var digest = $"sha256:{new string('a', 64)}";
        var docker = Recorder(
            "docker",
            "while (($#)); do if [[ $1 == --metadata-file ]]; then about=$2; fi; shift; done; "
                + $"printf '{{\\n  \"containerimage.digest\": \"{digest}\",\\n  \"x\": 1\\n}}' >\"$about\""
        );
        var (exitCode, output, error) = await RunAsync(SourceTree.Root, "image", ["ghcr.io/Owner/Name", "1.2.3"], ("DOCKER", docker));
        Assert.That((exitCode, output), Is.EqualTo((0, $"repository=ghcr.io/owner/name\ndigest={digest}\n")), error);
        Assert.That(
            Recorded(docker),
            Does.Contain("--platform linux/amd64,linux/arm64 --build-arg VERSION=1.2.3 --build-arg REVISION=")
                .And.Contain("--tag ghcr.io/owner/name:1.2.3 --tag ghcr.io/owner/name:latest")
                .And.Contain("--push")
        );
        await RunAsync(SourceTree.Root, "image", ["ghcr.io/Owner/Name", "1.2.3-rc.1"], ("DOCKER", docker));
        Assert.That(Recorded(docker), Does.Contain(":1.2.3-rc.1").And.Not.Contain(":latest"));
    }

    [Test]
    public async Task The_charts_digest_is_the_one_helm_prints()
    {
        var digest = $"sha256:{new string('b', 64)}";
        var helm = Recorder("helm", $"echo 'Pushed: ghcr.io/x' >&2; echo 'Digest: {digest}' >&2");
        var (exitCode, output, _) = await RunAsync(SourceTree.Root, "publish-chart", ["a.tgz", "ghcr.io/Owner/charts"], ("HELM", helm));
        Assert.That((exitCode, output), Is.EqualTo((0, $"repository=ghcr.io/owner/charts/proxyswapper\ndigest={digest}\n")));
        Assert.That(Recorded(helm), Is.EqualTo("push a.tgz oci://ghcr.io/owner/charts\n"));
        var silent = Recorder("silent", "true");
        Assert.That((await RunAsync(SourceTree.Root, "publish-chart", ["a.tgz", "ghcr.io/x"], ("HELM", silent))).ExitCode, Is.EqualTo(1));
    }

    [TestCase("linux-x64", ".tar.gz")]
    [TestCase("osx-arm64", ".tar.gz")]
    public async Task A_binary_is_packed_with_its_licence(string platform, string suffix)
    {
        var bin = Directory.CreateDirectory(_folder.PathOf($"bin-{platform}")).FullName;
        var dotnet = Recorder(
            $"bin-{platform}/dotnet",
            "while (($#)); do if [[ $1 == -o ]]; then folder=$2; fi; shift; done; echo program >\"$folder/proxyswapper\""
        );
        var path = $"{bin}:{Environment.GetEnvironmentVariable("PATH")}";
        var folder = _folder.PathOf($"dist-{platform}");
        var (exitCode, output, error) = await RunAsync(SourceTree.Root, "binary", [platform, "1.2.3", folder], ("PATH", path));
        Assert.That((exitCode, output.Trim()), Is.EqualTo((0, Path.Combine(folder, $"proxyswapper-1.2.3-{platform}{suffix}"))), error);
        Assert.That(
            Recorded(dotnet).Contains("RestoreLockedMode", StringComparison.Ordinal),
            Is.EqualTo(platform.StartsWith("linux", StringComparison.Ordinal))
        );
        Assert.That(
            (await TestProcess.RunAsync("tar", ["tzf", output.Trim()])).Output.Split('\n'),
            Does.Contain($"proxyswapper-1.2.3-{platform}/proxyswapper").And.Contain($"proxyswapper-1.2.3-{platform}/LICENSE")
        );
    }

    [Test]
    public async Task A_binary_for_Windows_is_packed_as_a_zip_file()
    {
        Directory.CreateDirectory(_folder.PathOf("bin-windows"));
        Recorder(
            "bin-windows/dotnet",
            "while (($#)); do if [[ $1 == -o ]]; then folder=$2; fi; shift; done; echo program >\"$folder/proxyswapper.exe\""
        );
        var zip = Recorder("bin-windows/7z", "ls \"$4\" >>\"$0.calls\"; touch \"$3\"");
        var path = $"{_folder.PathOf("bin-windows")}:{Environment.GetEnvironmentVariable("PATH")}";
        var folder = _folder.PathOf("dist-windows");
        var (exitCode, output, error) = await RunAsync(SourceTree.Root, "binary", ["win-x64", "1.2.3", folder], ("PATH", path));
        Assert.That((exitCode, output.Trim()), Is.EqualTo((0, Path.Combine(folder, "proxyswapper-1.2.3-win-x64.zip"))), error);
        Assert.That(
            Recorded(zip),
            Is.EqualTo("a -bd proxyswapper-1.2.3-win-x64.zip proxyswapper-1.2.3-win-x64\nLICENSE\nREADME.md\nproxyswapper.exe\n")
        );
        Assert.That(Directory.GetFileSystemEntries(folder), Is.EqualTo(new[] { output.Trim() }));
    }

    [Test]
    public async Task A_release_has_signed_checksums_and_the_changelogs_words()
    {
        var tree = CopyOfTree();
        await RenameVersionAsync(tree, "[1.2.3-rc.1] - 2026-12-01");
        var dist = Directory.CreateDirectory(_folder.PathOf("dist")).FullName;
        await File.WriteAllTextAsync(Path.Combine(dist, "a.tar.gz"), "a");
        var cosign = Recorder("cosign", "echo signature >\"$4\"");
        var gh = Recorder("gh", "cat \"${@:8:1}\" >>\"$0.notes\"");
        var (exitCode, _, error) = await RunAsync(tree, "publish", ["v1.2.3-rc.1", dist], ("COSIGN", cosign), ("GH", gh));
        Assert.That(exitCode, Is.Zero, error);
        Assert.That(
            await File.ReadAllTextAsync(Path.Combine(dist, "SHA256SUMS")),
            Is.EqualTo("ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb  a.tar.gz\n")
        );
        Assert.That(Recorded(gh), Does.StartWith("release create v1.2.3-rc.1 --verify-tag ").And.Contain("--prerelease"));
        Assert.That(Recorded(gh), Does.EndWith("-- SHA256SUMS SHA256SUMS.sigstore.json a.tar.gz\n"));
        Assert.That(await File.ReadAllTextAsync($"{gh}.notes"), Does.StartWith("### Added"));
    }

    [Test]
    public async Task The_manuals_command_verifies_what_is_published()
    {
        var dist = Directory.CreateDirectory(_folder.PathOf("verified")).FullName;
        var archive = Path.Combine(dist, "proxyswapper-0.1.0-linux-x64.tar.gz");
        await File.WriteAllTextAsync(archive, "a");
        await File.WriteAllTextAsync(Path.Combine(dist, "proxyswapper-0.1.0.tgz"), "b");
        var (cosign, gh) = (Recorder("blob-cosign", "echo signature >\"$4\""), Recorder("blob-gh", "true"));
        var (published, _, error) = await RunAsync(SourceTree.Root, "publish", ["v0.1.0", dist], ("COSIGN", cosign), ("GH", gh));
        Assert.That(published, Is.Zero, error);
        var page = ManualPage.All.Single(page => page.Path == Path.Combine("docs", "security-model.md"));
        var command = page.ShellLines.Single(line => line.StartsWith("sha256sum ", StringComparison.Ordinal));
        Assert.That(page.ShellLines, Has.Some.StartsWith("cosign verify-blob SHA256SUMS --bundle SHA256SUMS.sigstore.json "));
        // Somebody who needs one platform has not downloaded the others.
        File.Delete(Path.Combine(dist, "proxyswapper-0.1.0.tgz"));
        Assert.That((await VerifyAsync()).ExitCode, Is.Zero);
        await File.WriteAllTextAsync(archive, "tampered");
        Assert.That((await VerifyAsync()).Output, Does.Contain("proxyswapper-0.1.0-linux-x64.tar.gz: FAILED"));

        Task<(int ExitCode, string Output, string Error)> VerifyAsync() => TestProcess.RunAsync("bash", ["-c", $"cd {dist} && {command}"]);
    }

    private static Task<(int ExitCode, string Output, string Error)> RunAsync(
        string tree,
        string script,
        string[] arguments,
        params (string Name, string Value)[] environment
    ) =>
        TestProcess.RunAsync(
            Path.Combine(tree, "release", script),
            arguments,
            environment.ToDictionary(variable => variable.Name, variable => variable.Value)
        );

    /// <summary>A program that records its arguments, with additional behaviour.</summary>
    private string Recorder(string name, string script) => _folder.WriteScript(name, $"echo \"$*\" >\"$0.calls\"\n{script}");

    private static string Recorded(string program) => File.ReadAllText($"{program}.calls");

    /// <summary>The files that name a version, with the scripts.</summary>
    private string CopyOfTree() =>
        Copy(["README.md", "CHANGELOG.md", "Directory.Build.props", "Dockerfile", "chart", "docs", "manifests", "release"]);

    /// <summary>The files for the SBOM: restoring must not affect the builds of other tests.</summary>
    private string CopyOfSources() =>
        Copy([
            ".config",
            "global.json",
            "Directory.Build.props",
            "Directory.Build.targets",
            "Directory.Packages.props",
            "BannedSymbols.txt",
            "release",
            "src",
        ]);

    private string Copy(string[] names)
    {
        var tree = Directory.CreateDirectory(_folder.PathOf(Path.GetRandomFileName())).FullName;
        foreach (var file in names.SelectMany(Files))
        {
            var target = Path.Combine(tree, file);
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(SourceTree.PathOf(file), target);
        }
        return tree;
    }

    private static IEnumerable<string> Files(string name) =>
        File.Exists(SourceTree.PathOf(name))
            ? [name]
            : Directory
                .GetFiles(SourceTree.PathOf(name), "*", SearchOption.AllDirectories)
                .Select(path => Path.GetRelativePath(SourceTree.Root, path))
                .Where(path => !path.Split(Path.DirectorySeparatorChar).Any(part => part is "bin" or "obj"));

    /// <summary>Gives the changelog's newest version another heading.</summary>
    private static async Task RenameVersionAsync(string tree, string heading)
    {
        var changelog = Path.Combine(tree, "CHANGELOG.md");
        var lines = await File.ReadAllLinesAsync(changelog);
        var newest = Array.FindIndex(lines, line => line.StartsWith("## [0", StringComparison.Ordinal));
        lines[newest] = $"## {heading}";
        await File.WriteAllLinesAsync(changelog, lines);
    }
}
