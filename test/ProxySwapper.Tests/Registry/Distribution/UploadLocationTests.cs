using ProxySwapper.Registry;
using ProxySwapper.Registry.Oci;
using ProxySwapper.Registry.Transport;
using ProxySwapper.Testing.Registries;
using Kind = ProxySwapper.Registry.InMemory.InMemoryRegistryRequestKind;

namespace ProxySwapper.Tests.Registry.Distribution;

/// <summary>An upload that the registry sends to another host fails with that host's name.</summary>
[TestFixture]
internal sealed class UploadLocationTests
{
    private static readonly byte[] Content = "content"u8.ToArray();
    private static readonly Descriptor Blob = new("application/octet-stream", Digest.OfBytes(Content), Content.Length);

    [Test]
    public async Task A_host_that_cannot_be_reached_is_named()
    {
        await using var scene = await SceneAsync();
        scene.Faulty.Always(HttpMethod.Post, Kind.Upload, Opened("http://localhost:1/upload"));
        AssertFails(scene, "PUT", "no response: redirected to http://localhost:1: ");
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task A_host_that_rejects_the_content_is_named(bool isInChunks)
    {
        await using var scene = await SceneAsync();
        await using var elsewhere = await FaultyRegistry.StartAsync();
        if (isInChunks)
            elsewhere.Next(HttpMethod.Put, Kind.Upload, RegistryFaults.Status(405));
        elsewhere.Always((_, kind) => kind == Kind.Upload, RegistryFaults.Status(403, "DENIED", "why"));
        scene.Faulty.Always(HttpMethod.Post, Kind.Upload, Opened($"{OtherName(elsewhere)}/v2/a/blobs/uploads/1"));
        var method = isInChunks ? "PATCH" : "PUT";
        AssertFails(scene, method, $"forbidden (HTTP 403): DENIED: why: redirected to {OtherName(elsewhere)}");
    }

    [Test]
    public async Task A_host_that_a_chunk_is_moved_to_is_named()
    {
        await using var scene = await SceneAsync();
        await using var elsewhere = await FaultyRegistry.StartAsync();
        elsewhere.Always((_, kind) => kind == Kind.Upload, RegistryFaults.Status(403, "DENIED", "why"));
        scene.Faulty.Next(HttpMethod.Put, Kind.Upload, RegistryFaults.Status(405));
        scene.Faulty.Always(HttpMethod.Patch, Kind.Upload, Opened($"{OtherName(elsewhere)}/v2/a/blobs/uploads/1"));
        AssertFails(scene, "PUT", $"forbidden (HTTP 403): DENIED: why: redirected to {OtherName(elsewhere)}");
    }

    [Test]
    public async Task The_registry_itself_is_no_other_host()
    {
        await using var scene = await SceneAsync();
        scene.Faulty.Always(HttpMethod.Post, Kind.Upload, RegistryFaults.AbsoluteLocation);
        scene.Faulty.Always(HttpMethod.Put, Kind.Upload, RegistryFaults.Status(403, "DENIED", "why"));
        AssertFails(scene, "PUT", "forbidden (HTTP 403): DENIED: why");
    }

    private static Task<RegistryScene> SceneAsync() => RegistryScene.StartAsync(options: RegistryScene.Options with { MaxRetries = 0 });

    /// <summary>The same host with another port would be the registry itself, behind a proxy.</summary>
    private static string OtherName(FaultyRegistry registry) =>
        $"http://{registry.Address.Replace("127.0.0.1", "localhost", StringComparison.Ordinal)}";

    private static RegistryFault Opened(string location) =>
        (context, _) =>
        {
            context.Response.StatusCode = 202;
            context.Response.Headers.Location = location;
            return Task.CompletedTask;
        };

    private static void AssertFails(RegistryScene scene, string method, string expected)
    {
        var fault = Assert.ThrowsAsync<RegistryException>(() =>
            scene.Client.UploadBlobAsync("a", Blob, _ => Task.FromResult<Stream>(new MemoryStream(Content)), null, default)
        )!;
        var start = $"{method} {scene.Registry.Address}/a@{Blob.Digest}: {expected}";
        Assert.That(fault.Message, expected.EndsWith(": ", StringComparison.Ordinal) ? Does.StartWith(start) : Is.EqualTo(start));
    }
}
