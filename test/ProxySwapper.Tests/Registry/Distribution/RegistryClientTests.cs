using System.Text;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Registry.Distribution;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Registry.Oci;
using ProxySwapper.Registry.Transport;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Registries;

namespace ProxySwapper.Tests.Registry.Distribution;

/// <summary>The whole protocol, against an in-memory registry.</summary>
[TestFixture]
internal sealed class RegistryClientTests
{
    [Test]
    public async Task Responds_to_a_ping()
    {
        await using var scene = await RegistryScene.StartAsync();
        await scene.Client.PingAsync(default);
    }

    [Test]
    public async Task A_blob_goes_up_and_comes_down()
    {
        await using var scene = await RegistryScene.StartAsync();
        var content = new byte[3_000_000];
        new Random(1).NextBytes(content);
        var blob = new Descriptor("application/octet-stream", Digest.OfBytes(content), content.Length);
        Assert.That(await scene.Client.FindBlobAsync("a/b", blob, default), Is.EqualTo(BlobPresence.Missing));
        var sent = 0L;
        await scene.Client.UploadBlobAsync(
            "a/b",
            blob,
            _ => Task.FromResult<Stream>(new MemoryStream(content)),
            new DirectProgress(bytes => sent = bytes),
            default
        );
        Assert.That(await scene.Client.FindBlobAsync("a/b", blob, default), Is.EqualTo(BlobPresence.Present));
        Assert.That(sent, Is.EqualTo(content.Length));
        await using var stream = await scene.Client.OpenBlobAsync("a/b", blob, default);
        using var copy = new MemoryStream();
        await stream.CopyToAsync(copy);
        Assert.That(copy.ToArray(), Is.EqualTo(content));
        Assert.That(scene.Registry.Count(HttpMethod.Post, InMemoryRegistryRequestKind.Upload), Is.EqualTo(1));
        Assert.That(scene.Registry.Count(HttpMethod.Put, InMemoryRegistryRequestKind.Upload), Is.EqualTo(1));
        Assert.That(await scene.Client.MountBlobAsync("c", blob.Digest, "a/b", default), Is.True);
        Assert.That(await scene.Client.MountBlobAsync("c", Digest.OfBytes("nowhere"u8), "a/b", default), Is.False);
    }

    /// <summary>As behind a proxy that compresses; the blob may be the empty one of an interrupted upload.</summary>
    [TestCase(10, BlobPresence.Present)]
    [TestCase(9, BlobPresence.OtherSize)]
    [TestCase(11, BlobPresence.OtherSize)]
    [TestCase(0, BlobPresence.OtherSize)]
    [TestCase(-1, BlobPresence.Missing)]
    public async Task A_blob_whose_HEAD_has_no_length_is_measured_by_its_last_byte(int size, BlobPresence presence)
    {
        await using var scene = await RegistryScene.StartAsync();
        var blob = new Descriptor("application/octet-stream", Digest.OfBytes(new byte[10]), 10);
        scene.Faulty.Always(HttpMethod.Head, InMemoryRegistryRequestKind.Blob, RegistryFaults.NoContentLength);
        if (size >= 0)
            scene.Registry.Repository("a").Blobs[blob.Digest] = new byte[size];
        Assert.That(await scene.Client.FindBlobAsync("a", blob, default), Is.EqualTo(presence));
        scene.Faulty.Always(HttpMethod.Get, InMemoryRegistryRequestKind.Blob, RegistryFaults.NoRanges);
        Assert.That(await scene.Client.FindBlobAsync("a", blob, default), Is.EqualTo(presence));
    }

    [Test]
    public async Task A_manifest_goes_up_and_comes_down_as_its_bytes()
    {
        await using var scene = await RegistryScene.StartAsync();
        var bytes = Encoding.UTF8.GetBytes(
            """{ "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",   "manifests": [] }"""
        );
        var manifest = new Manifest(MediaTypes.OciIndex, Digest.OfBytes(bytes), bytes);
        Assert.That(await scene.Client.HeadManifestAsync("a", "latest", default), Is.Null);
        await scene.Client.PutManifestAsync("a", "latest", manifest, default);
        Assert.That(
            await scene.Client.HeadManifestAsync("a", "latest", default),
            Is.EqualTo(manifest.Descriptor)
                .Using<Descriptor>((one, other) => one.Digest == other.Digest && one.Size == other.Size && one.MediaType == other.MediaType)
        );
        var back = await scene.Client.GetManifestAsync("a", manifest.Digest.ToString(), default);
        Assert.That(back.Bytes.ToArray(), Is.EqualTo(bytes));
        Assert.That(back.MediaType, Is.EqualTo(MediaTypes.OciIndex));
    }

    [Test]
    public async Task Tags_come_page_by_page()
    {
        await using var scene = await RegistryScene.StartAsync();
        var manifest = """{"schemaVersion":2,"manifests":[]}"""u8.ToArray();
        scene.Registry.AddManifest("a", MediaTypes.OciIndex, manifest, [.. Enumerable.Range(0, 2500).Select(number => $"v{number:0000}")]);
        var tags = await scene.Client.ListTagsAsync("a", default).ToListAsync();
        Assert.That(tags, Is.EqualTo(Enumerable.Range(0, 2500).Select(number => $"v{number:0000}")));
        Assert.That(scene.Registry.Count(HttpMethod.Get, InMemoryRegistryRequestKind.Tags), Is.EqualTo(3));
    }

    [TestCase("registry.example.com:99999")]
    [TestCase("[abc]:5000")]
    public void A_host_that_has_no_URL_is_named(string registry)
    {
        using var clients = new RegistryClients(RegistryScene.Options, TimeProvider.System, new CapturedLog());
        Assert.That(
            () => clients.For(RegistryName.Parse(registry), CredentialChain.Anonymous),
            Throws.InstanceOf<FormatException>().With.Message.Contain($"'{registry}' is not a registry host")
        );
    }

    [Test]
    public void Hosts_that_were_not_used_for_long_are_forgotten()
    {
        using var clients = new RegistryClients(RegistryScene.Options, TimeProvider.System, new CapturedLog());
        RegistryHost Of(string name) => clients.HostOf(RegistryName.Parse(name));
        var (used, unused) = (Of("used.example.com"), Of("unused.example.com"));
        for (var number = 0; number < 2000; number++)
        {
            Of($"r{number}.example.com");
            Assert.That(Of("used.example.com"), Is.SameAs(used));
        }
        Assert.That(Of("unused.example.com"), Is.Not.SameAs(unused));
    }

    [Test]
    public async Task Hosts_with_a_request_in_progress_are_not_forgotten()
    {
        using var clients = new RegistryClients(RegistryScene.Options, TimeProvider.System, new CapturedLog());
        RegistryHost Of(string name) => clients.HostOf(RegistryName.Parse(name));
        var (reading, writing) = (Of("reading.example.com"), Of("writing.example.com"));
        using var read = await reading.ReadLimiter.EnterAsync(isStream: true, default);
        using var write = await writing.WriteLimiter.EnterAsync(isStream: true, default);
        Parallel.For(0, 4000, number => Of($"r{number}.example.com"));
        Assert.That((Of("reading.example.com"), Of("writing.example.com")), Is.EqualTo((reading, writing)));
    }

    private sealed class DirectProgress(Action<long> report) : IProgress<long>
    {
        public void Report(long value) => report(value);
    }
}
