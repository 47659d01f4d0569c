using System.Formats.Tar;
using System.Net.Http.Headers;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Registries;

namespace ProxySwapper.IntegrationTests.Packaging;

/// <summary>
/// The Dockerfile's build stage, run step by step in a folder that has what the stage copies; and the image that the SDK makes.
/// </summary>
[TestFixture]
internal sealed class ImageTests
{
    private readonly string _context = Directory.CreateTempSubdirectory("proxyswapper-image-").FullName;
    private string _output = "";

    [OneTimeSetUp]
    public async Task RunBuildStage()
    {
        _output = Path.Combine(_context, "out");
        foreach (var (name, arguments) in ContainerFile.Stage(0))
        {
            if (name == "COPY")
                Copy(arguments.Split(' '));
            else if (name == "RUN")
                await RunAsync(arguments.Replace("/out", _output, StringComparison.Ordinal));
        }
    }

    [OneTimeTearDown]
    public void RemoveContext() => Directory.Delete(_context, recursive: true);

    [Test]
    public async Task The_published_program_answers_with_its_version()
    {
        var (exitCode, output, _) = await TestProcess.RunAsync(Path.Combine(_output, "proxyswapper"), ["--version"]);
        Assert.That((exitCode, output.Trim()), Is.EqualTo((0, "7.8.9")));
    }

    [Test]
    public void The_published_program_is_compiled_ahead() =>
        // The IL alone is a fraction of that.
        Assert.That(
            new FileInfo(Path.Combine(_output, "proxyswapper.dll")).Length,
            Is.GreaterThan(2 * new FileInfo(Path.Combine(AppContext.BaseDirectory, "proxyswapper.dll")).Length)
        );

    [Test]
    public async Task PublishContainer_writes_an_OCI_archive_that_serves_as_a_user_that_is_not_root()
    {
        await using var registry = await DebianRegistry.StartAsync();
        await PushBaseAsync(new Uri($"http://{registry.Address}/v2/base/"));
        var archive = Path.Combine(_context, "proxyswapper.tar");
        await RunAsync(
            "dotnet publish src/ProxySwapper -c Release -t:PublishContainer --no-build -a $TARGETARCH "
                + $"-p:ContainerArchiveOutputPath={archive} -p:ContainerBaseImage={registry.Address}/base:1",
            ("DOTNET_CONTAINER_INSECURE_REGISTRIES", registry.Address)
        );

        var files = await ReadTarAsync(archive);
        var index = JsonNode.Parse(files["index.json"])!;
        var manifest = Blob(index["manifests"]![0]!);
        Assert.That($"{manifest["mediaType"]}", Is.EqualTo("application/vnd.oci.image.manifest.v1+json"));
        var image = Blob(manifest["config"]!)["config"]!;
        Assert.Multiple(() =>
        {
            Assert.That($"{image["User"]}", Is.EqualTo("1654:1654"));
            Assert.That(image["Entrypoint"]!.ToJsonString(), Is.EqualTo("""["/app/proxyswapper"]"""));
            Assert.That(image["Cmd"]!.ToJsonString(), Is.EqualTo("""["serve"]"""));
            Assert.That(image["ExposedPorts"]!.AsObject().Select(port => port.Key), Is.EquivalentTo(new[] { "8443/tcp", "9090/tcp" }));
            Assert.That(image["Env"]!.AsArray().Select(variable => $"{variable}"), Does.Contain("DOTNET_EnableDiagnostics=0"));
            Assert.That($"{image["Labels"]!["org.opencontainers.image.licenses"]}", Is.EqualTo("Apache-2.0"));
        });

        JsonNode Blob(JsonNode descriptor) => JsonNode.Parse(files[$"blobs/{$"{descriptor["digest"]}".Replace(':', '/')}"])!;
    }

    /// <summary>As Docker calls it.</summary>
    private static string Architecture =>
        RuntimeInformation.OSArchitecture == System.Runtime.InteropServices.Architecture.Arm64 ? "arm64" : "amd64";

    private async Task RunAsync(string command, params (string Name, string Value)[] environment)
    {
        var (exitCode, output, error) = await TestProcess.RunAsync(
            "sh",
            ["-c", $"cd {_context}; {command}"],
            new Dictionary<string, string>(environment.Select(variable => KeyValuePair.Create(variable.Name, variable.Value)))
            {
                ["TARGETARCH"] = Architecture,
                ["VERSION"] = "7.8.9",
            }
        );
        Assert.That(exitCode, Is.Zero, $"{command}\n{output}{error}");
    }

    private void Copy(string[] words)
    {
        var target = Path.Combine(_context, words[^1]);
        foreach (var source in words[..^1])
        {
            var path = SourceTree.PathOf(source);
            if (File.Exists(path))
                CopyFile(path, words.Length > 2 ? Path.Combine(target, Path.GetFileName(path)) : target);
            else
                foreach (
                    var file in Directory
                        .EnumerateFiles(path, "*", SearchOption.AllDirectories)
                        .Select(file => Path.GetRelativePath(path, file))
                )
                    if (!file.Split('/').Intersect(["bin", "obj"]).Any())
                        CopyFile(Path.Combine(path, file), Path.Combine(target, file));
        }
    }

    private static void CopyFile(string source, string target)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        File.Copy(source, target, overwrite: true);
    }

    /// <summary>An image of nothing, in place of the one that only the network has.</summary>
    private static async Task PushBaseAsync(Uri repository)
    {
        using var client = new HttpClient();
        var layer = new MemoryStream();
        await using (var zip = new System.IO.Compression.GZipStream(layer, System.IO.Compression.CompressionLevel.Fastest, leaveOpen: true))
            await zip.WriteAsync(new byte[1024]);
        var config = Encoding.UTF8.GetBytes(
            $$"""
            {"architecture":"{{Architecture}}","os":"linux","config":{"Env":["PATH=/usr/bin"]},
             "rootfs":{"type":"layers","diff_ids":["{{DigestOf(
                new byte[1024]
            )}}"]} }
            """
        );
        var manifest = $$"""
            {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
             "config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{{await PushAsync(
                config
            )}}","size":{{config.Length}}},
             "layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"{{await PushAsync(
                layer.ToArray()
            )}}","size":{{layer.Length}}}]}
            """;
        using var content = new StringContent(manifest);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/vnd.oci.image.manifest.v1+json");
        (await client.PutAsync(new Uri(repository, "manifests/1"), content)).EnsureSuccessStatusCode();

        async Task<string> PushAsync(byte[] blob)
        {
            using var started = await client.PostAsync(new Uri(repository, "blobs/uploads/"), null);
            (
                await client.PutAsync(
                    $"{started.EnsureSuccessStatusCode().Headers.Location}&digest={DigestOf(blob)}",
                    new ByteArrayContent(blob)
                )
            ).EnsureSuccessStatusCode();
            return DigestOf(blob);
        }

        static string DigestOf(byte[] content) => $"sha256:{Convert.ToHexStringLower(SHA256.HashData(content))}";
    }

    private static async Task<Dictionary<string, string>> ReadTarAsync(string path)
    {
        var files = new Dictionary<string, string>();
        await using var reader = new TarReader(File.OpenRead(path));
        while (await reader.GetNextEntryAsync() is { } entry)
        {
            // What is larger is a layer.
            if (entry.DataStream is not { Length: < 100_000 } stream)
                continue;
            using var text = new StreamReader(stream);
            files[entry.Name] = await text.ReadToEndAsync();
        }
        return files;
    }
}
