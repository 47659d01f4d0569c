using System.Text;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Copying;
using ProxySwapper.Registry.Oci;

namespace ProxySwapper.Tests.Registry.Copying;

/// <summary>Manifests whose content would get lost if what is malformed were skipped.</summary>
[TestFixture]
internal sealed class MalformedManifestTests
{
    private const string Hash = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    private const string Config = $$"""{"mediaType":"m","digest":"{{Hash}}","size":0}""";

    [TestCase("\"manifests\":{}", "manifests must be a list")]
    [TestCase("\"manifests\":\"a\"", "manifests must be a list")]
    [TestCase("\"manifests\":7", "manifests must be a list")]
    [TestCase("\"manifests\":null", "manifests must be a list")]
    [TestCase("\"annotations\":{}", "manifests must be a list")]
    [TestCase("\"manifests\":[7]", "manifests[0] is not a valid descriptor: it must be an object")]
    [TestCase($"\"manifests\":[{Config},[]]", "manifests[1] is not a valid descriptor: it must be an object")]
    [TestCase($"\"manifests\":[],\"layers\":[{Config}]", "manifests and layers cannot be combined")]
    [TestCase($"\"manifests\":[],\"config\":{Config}", "manifests and config cannot be combined")]
    public Task An_index_is_rejected(string members, string fault) => AssertRejectedAsync(MediaTypes.OciIndex, members, fault);

    [TestCase($"\"config\":{Config},\"layers\":{{}}", "layers must be a list")]
    [TestCase($"\"config\":{Config},\"layers\":\"a\"", "layers must be a list")]
    [TestCase($"\"config\":{Config},\"layers\":[null]", "layers[0] is not a valid descriptor: it must be an object")]
    [TestCase($"\"config\":{Config},\"blobs\":{{}}", "blobs must be a list")]
    [TestCase($"\"config\":{Config},\"subject\":{{}}", "subject is not a valid descriptor: its mediaType must be a string")]
    [TestCase("\"config\":[]", "config is not a valid descriptor: it must be an object")]
    [TestCase("\"config\":null", "config is not a valid descriptor: it must be an object")]
    [TestCase("\"annotations\":{}", "it has neither config nor layers")]
    [TestCase($"\"config\":{Config},\"layers\":[],\"manifests\":[]", "manifests and config cannot be combined")]
    [TestCase($"\"config\":{Config},\"layers\":[],\"manifests\":null", "manifests must be a list")]
    public Task An_image_is_rejected(string members, string fault) => AssertRejectedAsync(MediaTypes.OciManifest, members, fault);

    [TestCase($$"""{"digest":"{{Hash}}","size":1}""", "its mediaType must be a string")]
    [TestCase($$"""{"mediaType":"","digest":"{{Hash}}","size":1}""", "its mediaType must be a string")]
    [TestCase("""{"mediaType":"m","size":1}""", "its digest must be a string such as sha256:<64 hexadecimal digits>")]
    [TestCase("""{"mediaType":"m","digest":"sha256:ab","size":1}""", "its digest must be a string such as sha256:<64 hexadecimal digits>")]
    [TestCase($$"""{"mediaType":"m","digest":"{{Hash}}"}""", "its size must be an integer from 0 to 281474976710656")]
    [TestCase($$"""{"mediaType":"m","digest":"{{Hash}}","size":"1"}""", "its size must be an integer from 0 to 281474976710656")]
    [TestCase($$"""{"mediaType":"m","digest":"{{Hash}}","size":1.5}""", "its size must be an integer from 0 to 281474976710656")]
    [TestCase($$"""{"mediaType":"m","digest":"{{Hash}}","size":-1}""", "its size must be an integer from 0 to 281474976710656")]
    [TestCase($$"""{"mediaType":"m","digest":"{{Hash}}","size":1e30}""", "its size must be an integer from 0 to 281474976710656")]
    public async Task A_descriptor_is_rejected(string descriptor, string fault)
    {
        await AssertRejectedAsync(MediaTypes.OciIndex, $"\"manifests\":[{descriptor}]", $"manifests[0] is not a valid descriptor: {fault}");
        await AssertRejectedAsync(
            MediaTypes.DockerManifest,
            $"\"config\":{Config},\"layers\":[{descriptor}]",
            $"layers[0] is not a valid descriptor: {fault}"
        );
        await AssertRejectedAsync(
            MediaTypes.DockerManifest,
            $"\"config\":{descriptor},\"layers\":[]",
            $"config is not a valid descriptor: {fault}"
        );
    }

    [TestCase("\"layers\":null,\"subject\":null", TestName = "An_empty_list_as_tools_in_Go_write_it_is_taken")]
    [TestCase("\"layers\":[]", TestName = "An_empty_list_is_taken")]
    public async Task An_image_is_taken(string members)
    {
        await using var scene = await CopyScene.StartAsync();
        var json = $"{{\"schemaVersion\":2,\"config\":{Config},{members}}}";
        scene.Source.Registry.AddBlob("team/app", ReadOnlyMemory<byte>.Empty);
        var manifest = scene.Source.Registry.AddManifest("team/app", MediaTypes.OciManifest, Encoding.UTF8.GetBytes(json), "1");
        await scene.CopyAsync();
        Assert.That(scene.Target.Registry.Repositories["mirror/app"].Tags["1"], Is.EqualTo(manifest.Digest));
    }

    private static async Task AssertRejectedAsync(string mediaType, string members, string fault)
    {
        await using var scene = await CopyScene.StartAsync();
        var json = Encoding.UTF8.GetBytes($"{{\"schemaVersion\":2,\"mediaType\":\"{mediaType}\",{members}}}");
        scene.Source.Registry.AddManifest("team/app", mediaType, json, "1");
        Assert.That(
            () => scene.CopyAsync(),
            Throws
                .InstanceOf<CopyException>()
                .With.Message.EqualTo(
                    $"{scene.Source.Address}/team/app: the manifest {Digest.OfBytes(json)} is not a valid {mediaType}: {fault}"
                )
        );
        Assert.That(scene.Target.Registry.Repositories.Values.SelectMany(repository => repository.Tags), Is.Empty);
    }
}
