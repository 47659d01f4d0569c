using System.Text;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Registry.Distribution;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Registry.Oci;
using ProxySwapper.Registry.Transport;
using ProxySwapper.Testing.Clouds;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Registries;

namespace ProxySwapper.IntegrationTests.Registry;

/// <summary>The client against Debian's docker-registry, and the in-memory registry against skopeo.</summary>
[TestFixture, NeedsServer]
internal sealed class RealRegistryTests
{
    private static readonly byte[] Layer = Encoding.UTF8.GetBytes(
        string.Concat(Enumerable.Range(0, 100_000).Select(number => $"{number} "))
    );

    [Test]
    public async Task An_image_is_pushed_mounted_listed_and_read_by_skopeo()
    {
        await using var registry = await DebianRegistry.StartAsync();
        await PushReadAndMountAsync(registry, CredentialChain.Anonymous, []);
    }

    [Test]
    public async Task A_registry_with_a_password_lets_the_user_in_and_nobody_else()
    {
        await using var registry = await DebianRegistry.StartWithPasswordAsync("user", "s3cret");
        await PushReadAndMountAsync(
            registry,
            new MutableCredentials(RegistryCredential.Basic("user", "s3cret")),
            ["--creds", "user:s3cret"]
        );
        using var clients = Clients();
        foreach (
            var source in new IRegistryCredentialSource[]
            {
                CredentialChain.Anonymous,
                new MutableCredentials(RegistryCredential.Basic("user", "wrong")),
            }
        )
            Assert.That(
                async () => await clients.For(RegistryName.Parse(registry.Address), source).PingAsync(default),
                Throws.InstanceOf<RegistryException>().With.Message.Contain("unauthorized (HTTP 401): UNAUTHORIZED")
            );
    }

    [Test]
    public async Task A_pull_through_cache_gives_what_its_upstream_has()
    {
        await using var upstream = await DebianRegistry.StartAsync();
        await using var cache = await DebianRegistry.StartPullThroughAsync($"http://{upstream.Address}");
        using var clients = Clients();
        var (source, cached) = (
            clients.For(RegistryName.Parse(upstream.Address), CredentialChain.Anonymous),
            clients.For(RegistryName.Parse(cache.Address), CredentialChain.Anonymous)
        );
        var (manifest, layer) = await PushAsync(source, "team/app");
        Assert.That((await cached.HeadManifestAsync("team/app", "1", default))!.Digest, Is.EqualTo(manifest.Digest));
        Assert.That((await cached.GetManifestAsync("team/app", "1", default)).Bytes.ToArray(), Is.EqualTo(manifest.Bytes.ToArray()));
        Assert.That(await ReadAsync(cached, "team/app", layer), Is.EqualTo(Layer));
        Assert.That(await cached.HeadManifestAsync("team/app", "missing", default), Is.Null);
    }

    [Test]
    public async Task Skopeo_works_with_the_in_memory_registry()
    {
        await using var embedded = await InMemoryRegistry.StartAsync();
        await using var debian = await DebianRegistry.StartAsync();
        using var clients = Clients();
        var (manifest, _) = await PushAsync(clients.For(RegistryName.Parse(embedded.Address), CredentialChain.Anonymous), "team/app");
        await Skopeo.RunAsync(
            "copy",
            "--all",
            "--preserve-digests",
            "--src-tls-verify=false",
            "--dest-tls-verify=false",
            $"docker://{embedded.Address}/team/app:1",
            $"docker://{debian.Address}/team/app:1"
        );
        await Skopeo.RunAsync(
            "copy",
            "--all",
            "--preserve-digests",
            "--src-tls-verify=false",
            "--dest-tls-verify=false",
            $"docker://{debian.Address}/team/app:1",
            $"docker://{embedded.Address}/copy:2"
        );
        Assert.That(
            (
                await clients.For(RegistryName.Parse(debian.Address), CredentialChain.Anonymous).HeadManifestAsync("team/app", "1", default)
            )!.Digest,
            Is.EqualTo(manifest.Digest)
        );
        Assert.That(embedded.Repository("copy").Tags["2"], Is.EqualTo(manifest.Digest));
        Assert.That(await Skopeo.RunAsync("list-tags", "--tls-verify=false", $"docker://{embedded.Address}/copy"), Does.Contain("\"2\""));
    }

    private static async Task PushReadAndMountAsync(
        DebianRegistry registry,
        IRegistryCredentialSource credentials,
        IReadOnlyList<string> skopeoOptions
    )
    {
        using var clients = Clients();
        var client = clients.For(RegistryName.Parse(registry.Address), credentials);
        var (manifest, layer) = await PushAsync(client, "team/app");
        var raw = await Skopeo.RunAsync([
            "inspect",
            "--raw",
            "--tls-verify=false",
            .. skopeoOptions,
            $"docker://{registry.Address}/team/app:1",
        ]);
        Assert.That(Digest.OfBytes(Encoding.UTF8.GetBytes(raw)), Is.EqualTo(manifest.Digest));
        Assert.That(await ReadAsync(client, "team/app", layer), Is.EqualTo(Layer));
        Assert.That(await client.MountBlobAsync("team/other", layer.Digest, "team/app", default), Is.True);
        Assert.That(await client.FindBlobAsync("team/other", layer, default), Is.EqualTo(BlobPresence.Present));
        Assert.That(await client.ListTagsAsync("team/app", default).ToListAsync(), Is.EqualTo(new[] { "1" }));
        Assert.That(await client.ListReferrersAsync("team/app", manifest.Digest, default), Is.Empty);
        var signature = Signature(manifest);
        await client.PutManifestAsync("team/app", signature.Digest.ToString(), signature, default);
        Assert.That(
            (await client.ListReferrersAsync("team/app", manifest.Digest, default)).Single().Digest,
            Is.EqualTo(signature.Digest),
            "by the tag, since this registry has no such API"
        );
    }

    private static async Task<(Manifest Manifest, Descriptor Layer)> PushAsync(RegistryClient client, string repository)
    {
        var config = "{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}"u8.ToArray();
        var (configBlob, layerBlob) = (
            Describe("application/vnd.oci.image.config.v1+json", config),
            Describe("application/vnd.oci.image.layer.v1.tar", Layer)
        );
        await client.UploadBlobAsync(repository, configBlob, _ => Task.FromResult<Stream>(new MemoryStream(config)), null, default);
        await client.UploadBlobAsync(repository, layerBlob, _ => Task.FromResult<Stream>(new MemoryStream(Layer)), null, default);
        var manifest = Manifest(
            $$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciManifest}}","config":{{Json(configBlob)}}"""
                + $$""","layers":[{{Json(layerBlob)}}]}"""
        );
        await client.PutManifestAsync(repository, "1", manifest, default);
        return (manifest, layerBlob);
    }

    private static Manifest Signature(Manifest subject)
    {
        return Manifest(
            $$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciIndex}}","manifests":[{{Json(subject.Descriptor)}}]"""
                + $$""","subject":{{Json(subject.Descriptor)}}}"""
        );
    }

    private static Manifest Manifest(string json)
    {
        var bytes = Encoding.UTF8.GetBytes(json);
        return new Manifest(ManifestMediaType.Of(bytes, null)!, Digest.OfBytes(bytes), bytes);
    }

    private static Descriptor Describe(string mediaType, byte[] content) => new(mediaType, Digest.OfBytes(content), content.Length);

    private static string Json(Descriptor descriptor) =>
        $$"""{"mediaType":"{{descriptor.MediaType}}","digest":"{{descriptor.Digest}}","size":{{descriptor.Size}}}""";

    private static async Task<byte[]> ReadAsync(RegistryClient client, string repository, Descriptor blob)
    {
        await using var stream = await client.OpenBlobAsync(repository, blob, default);
        using var copy = new MemoryStream();
        await stream.CopyToAsync(copy);
        return copy.ToArray();
    }

    private static RegistryClients Clients() => new(new RegistryOptions { MaxRetries = 2 }, TimeProvider.System, new CapturedLog());
}
