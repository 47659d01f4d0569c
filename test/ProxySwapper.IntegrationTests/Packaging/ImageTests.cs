using System.Diagnostics;
using System.Formats.Tar;
using System.Net.Http.Headers;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using ProxySwapper.Configuration;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Registries;

namespace ProxySwapper.IntegrationTests.Packaging;

/// <summary>
/// The Dockerfile's build stage in a folder with the files that it copies, up to the steps that take minutes; the output of publishing; and
/// the image that the SDK builds from it.
/// </summary>
[TestFixture, NeedsServer]
internal sealed class ImageTests
{
    private const string Publish = "dotnet publish src/ProxySwapper -c Release";

    private readonly string _context = Directory.CreateTempSubdirectory("proxyswapper-image-").FullName;

    [OneTimeTearDown]
    public void RemoveContext() => Directory.Delete(_context, recursive: true);

    [Test]
    public async Task The_build_stage_has_what_it_needs_and_restores_what_is_locked()
    {
        foreach (var (name, arguments) in ContainerFile.Stage(0))
        {
            if (name == "COPY")
                Copy(arguments.Split(' '));
            // The machine's packages are available; compiling C# needs everything that was copied.
            else if (name == "RUN" && !arguments.Contains("apt-get", StringComparison.Ordinal))
                await RunAsync(
                    _context,
                    arguments
                        .Replace(
                            Publish,
                            "dotnet build src/ProxySwapper -c Release -t:Compile -p:_IsPublishing=true",
                            StringComparison.Ordinal
                        )
                        .Replace("-o /out", "", StringComparison.Ordinal),
                    ("BUILDARCH", Architecture),
                    ("TARGETARCH", Architecture),
                    ("VERSION", "7.8.9"),
                    ("REVISION", "0123456789abcdef")
                );
        }
        var compiled = Path.Combine(_context, "src", "ProxySwapper", "obj", "Release", "net10.0", Platform, "proxyswapper.dll");
        Assert.That(FileVersionInfo.GetVersionInfo(compiled).ProductVersion, Is.EqualTo("7.8.9+0123456789abcdef"));
    }

    [Test]
    public async Task The_published_program_is_one_native_file_without_symbols()
    {
        var folder = Path.GetDirectoryName(await PublishedProgram.GetAsync())!;
        Assert.That(Directory.EnumerateFileSystemEntries(folder).Select(Path.GetFileName), Is.EqualTo(new[] { "proxyswapper" }));
        var program = new FileInfo(Path.Combine(folder, "proxyswapper"));
        await using var file = program.OpenRead();
        var start = new byte[4];
        await file.ReadExactlyAsync(start);
        Assert.That(start, Is.EqualTo("\u007fELF"u8.ToArray()));
        Assert.That(program.Length, Is.LessThan(52_000_000));
        var (exitCode, output, _) = await TestProcess.RunAsync(program.FullName, ["--version"]);
        Assert.That(
            (exitCode, output.Trim().Split('+')[0]),
            Is.EqualTo((0, typeof(ConfigurationReader).Assembly.GetName().Version!.ToString(3)))
        );
    }

    [TestCase("amd64", "linux-x64", "clang lld gcc-x86-64-linux-gnu libc6-dev-amd64-cross")]
    [TestCase("arm64", "linux-arm64", "clang lld gcc-aarch64-linux-gnu libc6-dev-arm64-cross")]
    public async Task Without_a_linker_publishing_says_at_once_which_packages_bring_one(string machine, string platform, string crossTools)
    {
        var packages = machine == Architecture ? "gcc libc6-dev" : crossTools;
        var tools = Directory.CreateDirectory(Path.Combine(_context, "tools")).FullName;
        var (_, dotnet, _) = await TestProcess.RunAsync("sh", ["-c", "command -v dotnet"]);
        foreach (var program in new[] { dotnet.Trim(), "/bin/sh" })
            if (!File.Exists(Path.Combine(tools, Path.GetFileName(program))))
                File.CreateSymbolicLink(Path.Combine(tools, Path.GetFileName(program)), program);
        var (exitCode, output, error) = await TestProcess.RunAsync(
            dotnet.Trim(),
            [
                "msbuild",
                SourceTree.PathOf("src", "ProxySwapper"),
                "-t:RequireLinker",
                "-p:_IsPublishing=true",
                $"-p:RuntimeIdentifier={platform}",
            ],
            new Dictionary<string, string> { ["PATH"] = tools }
        );
        Assert.That(exitCode, Is.Not.Zero);
        Assert.That(output + error, Does.Contain($"a native program for {platform}").And.Contain($"apt-get install {packages}."));
    }

    [Test]
    public async Task PublishContainer_writes_an_OCI_archive_that_serves_as_a_user_that_is_not_root()
    {
        await using var registry = await DebianRegistry.StartAsync();
        var digest = await PushBaseAsync(new Uri($"http://{registry.Address}/v2/base/"));
        var archive = Path.Combine(_context, "proxyswapper.tar");
        // If the program has already been published, nothing is compiled again.
        await RunAsync(
            SourceTree.Root,
            $"{Publish} -t:PublishContainer -p:ContainerArchiveOutputPath={archive} "
                + $"-p:ContainerBaseImage={registry.Address}/base:10.0.12@{digest}",
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

    /// <summary>Docker's name of the architecture.</summary>
    private static string Architecture =>
        RuntimeInformation.OSArchitecture == System.Runtime.InteropServices.Architecture.Arm64 ? "arm64" : "amd64";

    /// <summary>.NET's name of the architecture.</summary>
    private static string Platform => $"linux-{(Architecture == "arm64" ? "arm64" : "x64")}";

    private static async Task RunAsync(string folder, string command, params (string Name, string Value)[] environment)
    {
        var (exitCode, output, error) = await TestProcess.RunAsync(
            "sh",
            ["-c", $"cd {folder}; {command}"],
            new Dictionary<string, string>(environment.Select(variable => KeyValuePair.Create(variable.Name, variable.Value)))
        );
        Assert.That(exitCode, Is.Zero, $"{command}\n{output}{error}");
    }

    private void Copy(string[] words)
    {
        var target = Path.Combine(_context, words[^1]);
        foreach (var path in words[..^1].SelectMany(Sources))
        {
            if (File.Exists(path))
                CopyFile(path, words.Length > 2 || words[^1].EndsWith('/') ? Path.Combine(target, Path.GetFileName(path)) : target);
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

    /// <summary>The files that a name in a <c>COPY</c> stands for; a wildcard matches several files of a folder.</summary>
    private static IEnumerable<string> Sources(string name) =>
        !name.Contains('*', StringComparison.Ordinal)
            ? [SourceTree.PathOf(name)]
            : Directory.EnumerateFiles(SourceTree.PathOf(Path.GetDirectoryName(name)!), Path.GetFileName(name));

    private static void CopyFile(string source, string target)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        File.Copy(source, target, overwrite: true);
    }

    /// <summary>An empty image without a tag, in place of the base image, which is only on the network; returns its digest.</summary>
    private static async Task<string> PushBaseAsync(Uri repository)
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
        var digest = DigestOf(Encoding.UTF8.GetBytes(manifest));
        (await client.PutAsync(new Uri(repository, $"manifests/{digest}"), content)).EnsureSuccessStatusCode();
        return digest;

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
            // Larger blobs are layers.
            if (entry.DataStream is not { Length: < 100_000 } stream)
                continue;
            using var text = new StreamReader(stream);
            files[entry.Name] = await text.ReadToEndAsync();
        }
        return files;
    }
}
