using System.Text;
using ProxySwapper.Registry;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Registry.Oci;
using ProxySwapper.Registry.Transport;
using ProxySwapper.Testing.Registries;
using Kind = ProxySwapper.Registry.InMemory.InMemoryRegistryRequestKind;

namespace ProxySwapper.Tests.Registry.Distribution;

/// <summary>Manifests that registries serve or store incorrectly, and the client's reaction.</summary>
[TestFixture]
internal sealed class ManifestFaultTests
{
    private static readonly byte[] Index =
        """{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"""u8.ToArray();

    [Test]
    public async Task A_head_without_a_digest_is_followed_by_a_get()
    {
        await using var scene = await RegistryScene.StartAsync();
        var descriptor = scene.Registry.AddManifest("a", MediaTypes.OciIndex, Index, "1");
        scene.Faulty.Always(HttpMethod.Head, Kind.Manifest, RegistryFaults.NoDigestHeader);
        Assert.That((await scene.Client.HeadManifestAsync("a", "1", default))!.Digest, Is.EqualTo(descriptor.Digest));
        Assert.That(scene.Registry.Count(HttpMethod.Get, Kind.Manifest), Is.EqualTo(1));
    }

    [Test]
    public async Task A_head_with_a_response_is_not_followed_by_a_get()
    {
        await using var scene = await RegistryScene.StartAsync();
        scene.Registry.AddManifest("a", MediaTypes.OciIndex, Index, "1");
        await scene.Client.HeadManifestAsync("a", "1", default);
        Assert.That(scene.Registry.Requests, Is.EqualTo(1));
        Assert.That(
            scene.Faulty.Received[0].Header("Accept"),
            Does.Contain(MediaTypes.OciIndex)
                .And.Contain(MediaTypes.DockerManifestList)
                .And.Contain(MediaTypes.OciManifest)
                .And.Contain(MediaTypes.DockerManifest)
        );
    }

    [Test]
    public async Task A_wrong_digest_in_a_header_is_seen_and_not_believed()
    {
        await using var scene = await RegistryScene.StartAsync();
        var descriptor = scene.Registry.AddManifest("a", MediaTypes.OciIndex, Index, "1");
        scene.Faulty.Always(HttpMethod.Get, Kind.Manifest, RegistryFaults.WrongDigestHeader);
        Assert.That((await scene.Client.GetManifestAsync("a", "1", default)).Digest, Is.EqualTo(descriptor.Digest));
        Assert.That(scene.Log.Text, Does.Contain("using the latter"));
    }

    [TestCase("foo")]
    [TestCase("a/b; c=d")]
    [TestCase("a/b\\n")]
    [TestCase("a/\\u0000")]
    [TestCase("a/ä")]
    [TestCase("/")]
    public async Task A_manifest_with_a_media_type_that_is_none_is_an_error_of_its_registry(string mediaType)
    {
        await using var scene = await RegistryScene.StartAsync();
        var manifest = Encoding.UTF8.GetBytes($$"""{"schemaVersion":2,"mediaType":"{{mediaType}}","manifests":[]}""");
        var digest = scene.Registry.AddManifest("a", MediaTypes.OciIndex, manifest, "1").Digest;
        Assert.That(
            async () => await scene.Client.GetManifestAsync("a", digest.ToString(), default),
            Throws
                .InstanceOf<RegistryException>()
                .With.Message.StartsWith($"GET {scene.Registry.Address}/a@{digest}: HTTP 200: its media type '")
                .And.Message.EndsWith("' is not valid: it must be TYPE/SUBTYPE")
                .And.Message.Not.Contain("\n")
        );
    }

    [Test]
    public async Task Wrong_bytes_of_a_manifest_are_rejected()
    {
        await using var scene = await RegistryScene.StartAsync();
        var descriptor = scene.Registry.AddManifest("a", MediaTypes.OciIndex, Index, "1");
        scene.Registry.Repository("a").Manifests[descriptor.Digest] = new Manifest(
            MediaTypes.OciIndex,
            descriptor.Digest,
            """{"schemaVersion":2,"manifests":[ ]}"""u8.ToArray()
        );
        Assert.That(
            async () => await scene.Client.GetManifestAsync("a", descriptor.Digest.ToString(), default),
            Throws.InstanceOf<RegistryException>().With.Message.Contain(descriptor.Digest.ToString())
        );
    }

    [Test]
    public async Task A_manifest_that_breaks_off_is_requested_again()
    {
        await using var scene = await RegistryScene.StartAsync();
        scene.Registry.AddManifest("a", MediaTypes.OciIndex, Index, "1");
        scene.Faulty.Next(HttpMethod.Get, Kind.Manifest, RegistryFaults.CutResponse(20));
        Assert.That((await scene.Client.GetManifestAsync("a", "1", default)).Bytes.ToArray(), Is.EqualTo(Index));
    }

    [Test]
    public async Task A_manifest_beyond_the_limit_is_not_read_and_one_beyond_4_MiB_is()
    {
        await using var scene = await RegistryScene.StartAsync(options: RegistryScene.Options with { MaxManifestSize = 6_000_000 });
        var (large, tooLarge) = (Padded(5_000_000), Padded(6_000_001));
        scene.Registry.AddManifest("a", MediaTypes.OciIndex, large, "large");
        scene.Registry.AddManifest("a", MediaTypes.OciIndex, tooLarge, "too-large");
        Assert.That((await scene.Client.GetManifestAsync("a", "large", default)).Bytes.Length, Is.EqualTo(large.Length));
        Assert.That(
            async () => await scene.Client.GetManifestAsync("a", "too-large", default),
            Throws.InstanceOf<RegistryException>().With.Message.Contain("larger than the limit of 6000000 bytes")
        );
        scene.Faulty.Always(HttpMethod.Get, Kind.Manifest, RegistryFaults.NoContentLength);
        Assert.That(
            async () => await scene.Client.GetManifestAsync("a", "too-large", default),
            Throws.InstanceOf<RegistryException>().With.Message.Contain("larger than the limit of 6000000 bytes")
        );
    }

    [TestCase("application/vnd.oci.image.index.v1+json; charset=utf-8", """{"schemaVersion":2,"manifests":[]}""", MediaTypes.OciIndex)]
    [TestCase("application/json", """{"schemaVersion":2,"manifests":[]}""", MediaTypes.OciIndex)]
    [TestCase("application/json", """{"schemaVersion":2,"config":{},"layers":[]}""", MediaTypes.OciManifest)]
    [TestCase(
        "application/vnd.oci.image.manifest.v1+json",
        """{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.list.v2+json","manifests":[]}""",
        MediaTypes.DockerManifestList
    )]
    public async Task A_manifest_says_what_it_is(string header, string content, string expected)
    {
        await using var scene = await RegistryScene.StartAsync();
        scene.Registry.AddManifest("a", header, System.Text.Encoding.UTF8.GetBytes(content), "1");
        Assert.That((await scene.Client.GetManifestAsync("a", "1", default)).MediaType, Is.EqualTo(expected));
    }

    [Test]
    public async Task The_first_schema_is_rejected_by_name()
    {
        await using var scene = await RegistryScene.StartAsync();
        scene.Registry.AddManifest("a", "application/json", """{"schemaVersion":1,"fsLayers":[],"signatures":[]}"""u8.ToArray(), "1");
        Assert.That(
            async () => await scene.Client.GetManifestAsync("a", "1", default),
            Throws.InstanceOf<RegistryException>().With.Message.Contain("schema 1").And.Property("IsLimitExceeded").True
        );
    }

    [Test]
    public async Task An_immutable_tag_with_the_same_digest_is_written_and_with_another_a_conflict()
    {
        await using var scene = await RegistryScene.StartAsync(new InMemoryRegistryOptions { ImmutableTags = true });
        await scene.Client.PutManifestAsync("a", "1", Manifest(Index), default);
        await scene.Client.PutManifestAsync("a", "1", Manifest(Index), default);
        var fault = Assert.ThrowsAsync<RegistryException>(() => scene.Client.PutManifestAsync("a", "1", Manifest(Padded(100)), default))!;
        Assert.That(fault.IsTagConflict, Is.True);
        Assert.That(fault.Message, Does.Contain("TAG_INVALID").And.Contain(Digest.OfBytes(Index).ToString()));
    }

    [Test]
    public async Task A_registry_that_stored_something_else_is_caught()
    {
        await using var scene = await RegistryScene.StartAsync();
        scene.Faulty.Always(HttpMethod.Put, Kind.Manifest, RegistryFaults.WrongDigestHeader);
        Assert.That(
            async () => await scene.Client.PutManifestAsync("a", "1", Manifest(Index), default),
            Throws.InstanceOf<RegistryException>().With.Message.Contain("stored sha256:aaaa")
        );
    }

    /// <summary>As from a proxy with a login page.</summary>
    [TestCase(200)]
    [TestCase(202)]
    [TestCase(204)]
    public async Task A_success_that_wrote_nothing_is_an_error(int status)
    {
        await using var scene = await RegistryScene.StartAsync();
        // Under its digest, or another tag: that of the request is not there.
        scene.Registry.AddManifest("a", MediaTypes.OciIndex, Index, "2");
        scene.Faulty.Always(HttpMethod.Put, Kind.Manifest, RegistryFaults.Status(status));
        Assert.That(
            async () => await scene.Client.PutManifestAsync("a", "1", Manifest(Index), default),
            Throws
                .InstanceOf<RegistryException>()
                .With.Message.Contain($"HTTP {status}")
                .And.Message.EndsWith($"the registry did not write {Digest.OfBytes(Index)}: it does not have it there afterwards")
        );
    }

    [TestCase(200)]
    [TestCase(202)]
    public async Task A_success_other_than_201_counts_if_the_manifest_is_there(int status)
    {
        await using var scene = await RegistryScene.StartAsync();
        scene.Registry.AddManifest("a", MediaTypes.OciIndex, Index, "1");
        scene.Faulty.Always(HttpMethod.Put, Kind.Manifest, RegistryFaults.Status(status));
        Assert.That(async () => await scene.Client.PutManifestAsync("a", "1", Manifest(Index), default), Throws.Nothing);
    }

    private static Manifest Manifest(byte[] bytes) => new(MediaTypes.OciIndex, Digest.OfBytes(bytes), bytes);

    private static byte[] Padded(int length) =>
        System.Text.Encoding.UTF8.GetBytes("""{"schemaVersion":2,"manifests":[]""" + new string(' ', length - 34) + "}");
}
