using System.Text.Json.Nodes;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Registries;

namespace ProxySwapper.IntegrationTests.Copying;

/// <summary><c>proxyswapper copy</c> between real registries, verified with skopeo.</summary>
[TestFixture, NeedsServer]
internal sealed class CopyTests
{
    private DebianRegistry _source = null!;
    private DebianRegistry _target = null!;
    private TestImage _image = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        (_source, _target) = (await DebianRegistry.StartAsync(), await DebianRegistry.StartWithPasswordAsync("user", "secret"));
        _image = TestImage.Create(1, layers: 3, layerSize: 300_000, "amd64", "arm64");
        await _image.PushAsync(_source.Address, "team/app", "1");
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        await _source.DisposeAsync();
        await _target.DisposeAsync();
    }

    [Test]
    public async Task An_index_arrives_byte_for_byte_and_skopeo_agrees()
    {
        var (exitCode, output, error) = await CopyAsync($"{_source.Address}/team/app:1", $"{_target.Address}/mirror/app:1");
        Assert.That(
            (exitCode, output.Contains($"digest {_image.Top.Digest}\n", StringComparison.Ordinal)),
            Is.EqualTo((0, true)),
            output + error
        );
        var raw = await Skopeo.RunAsync(
            "inspect",
            "--raw",
            "--tls-verify=false",
            "--creds",
            "user:secret",
            $"docker://{_target.Address}/mirror/app:1"
        );
        Assert.That(raw, Is.EqualTo(System.Text.Encoding.UTF8.GetString(_image.Top.Bytes.Span)));
        foreach (var (architecture, manifest) in _image.Platforms)
        {
            var digest = await Skopeo.RunAsync(
                "inspect",
                "--override-arch",
                architecture,
                "--format",
                "{{.Digest}}",
                "--tls-verify=false",
                "--creds",
                "user:secret",
                $"docker://{_target.Address}/mirror/app@{manifest.Digest}"
            );
            Assert.That(digest.Trim(), Is.EqualTo(manifest.Digest.ToString()));
        }
        var folder = Directory.CreateTempSubdirectory().FullName;
        await Skopeo.RunAsync(
            "copy",
            "--all",
            "--src-tls-verify=false",
            "--src-creds",
            "user:secret",
            $"docker://{_target.Address}/mirror/app:1",
            $"dir:{folder}"
        );
        Assert.That(
            _image.Blobs.Keys.All(blob => File.Exists(Path.Combine(folder, blob.Hex))),
            Is.True,
            "skopeo pulls every blob and checks it"
        );
        Directory.Delete(folder, recursive: true);
        Assert.That(
            (await CopyAsync($"{_source.Address}/team/app:1", $"{_target.Address}/mirror/app:1")).Output,
            Does.Contain("is up to date")
        );
    }

    [Test]
    public async Task One_platform_is_a_new_index_and_the_output_says_so()
    {
        var (exitCode, output, _) = await CopyAsync(
            "--platform",
            "linux/arm64",
            $"{_source.Address}/team/app:1",
            $"{_target.Address}/one/app:1"
        );
        var index = JsonNode.Parse(
            await Skopeo.RunAsync(
                "inspect",
                "--raw",
                "--tls-verify=false",
                "--creds",
                "user:secret",
                $"docker://{_target.Address}/one/app:1"
            )
        )!;
        Assert.That(
            (exitCode, output.Contains("differs from", StringComparison.Ordinal), index["manifests"]!.AsArray().Count),
            Is.EqualTo((0, true, 1)),
            output
        );
    }

    [Test]
    public async Task A_dry_run_prints_the_plan_and_writes_nothing()
    {
        var (exitCode, output, _) = await CopyAsync("--dry-run", $"{_source.Address}/team/app:1", $"{_target.Address}/dry/app:1");
        Assert.That((exitCode, output.Contains("8 blobs", StringComparison.Ordinal)), Is.EqualTo((0, true)), output);
        Assert.That(
            async () =>
                await Skopeo.RunAsync("inspect", "--tls-verify=false", "--creds", "user:secret", $"docker://{_target.Address}/dry/app:1"),
            Throws.Exception
        );
    }

    /// <summary>CNCF Distribution responds with 500 for entries without content, which it leaves behind when its disk is full.</summary>
    [Test]
    public async Task A_blob_whose_entry_a_full_disk_left_empty_is_uploaded_again()
    {
        var (source, target) = ($"{_source.Address}/team/app:1", $"{_target.Address}/mended/app");
        await CopyAsync(source, $"{target}:before");
        var layers = Path.Combine(_target.DataFolder, "docker", "registry", "v2", "repositories", "mended", "app", "_layers", "sha256");
        var link = Path.Combine(Directory.GetDirectories(layers)[0], "link");
        await File.WriteAllBytesAsync(link, []);
        Directory.Delete(Path.Combine(layers, "..", "..", "_manifests"), recursive: true);
        var (exitCode, output, error) = await CopyAsync(source, $"{target}:1");
        Assert.That(exitCode, Is.Zero, output + error);
        Assert.That(new FileInfo(link).Length, Is.Positive);
    }

    [Test]
    public async Task Wrong_credentials_are_exit_code_1_with_the_registrys_own_text_and_without_the_secret()
    {
        var (exitCode, output, error) = await CopyWithPasswordAsync(
            "not-the-secret",
            $"{_source.Address}/team/app:1",
            $"{_target.Address}/denied/app:1"
        );
        Assert.Multiple(() =>
        {
            Assert.That(exitCode, Is.EqualTo(1));
            Assert.That(error, Does.Contain("401").And.Contain($"{_target.Address}/denied/app"));
            Assert.That(output + error, Does.Not.Contain("not-the-secret"));
        });
    }

    [
        TestCase("nginx"),
        TestCase("UPPER", "x"),
        TestCase("--sparse", "a", "b"),
        TestCase("--platform", "linux", "a", "b"),
        TestCase("--flatten", "--sparse", "--platform", "linux/amd64", "a", "b")
    ]
    public async Task Wrong_usage_is_exit_code_2(params string[] arguments) =>
        Assert.That((await CopyAsync(arguments)).ExitCode, Is.EqualTo(2));

    private Task<(int ExitCode, string Output, string Error)> CopyAsync(params string[] arguments) =>
        CopyWithPasswordAsync("secret", arguments);

    private async Task<(int ExitCode, string Output, string Error)> CopyWithPasswordAsync(string password, params string[] arguments)
    {
        var config = Path.GetTempFileName();
        await File.WriteAllTextAsync(
            config,
            $"registries: [{{host: '{_target.Address}', auth: basic, usernameFrom: {{env: "
                + "TARGET_USER}, passwordFrom: {env: TARGET_PASSWORD}}]"
        );
        var result = await ProxySwapperProgram.RunAsync(
            ["copy", "--config", config, .. arguments],
            ("TARGET_USER", "user"),
            ("TARGET_PASSWORD", password)
        );
        File.Delete(config);
        return result;
    }
}
