using ProxySwapper.Registry;
using ProxySwapper.Registry.Oci;
using ProxySwapper.Registry.Transport;
using ProxySwapper.Testing.Registries;
using ProxySwapper.Testing.Time;
using Kind = ProxySwapper.Registry.InMemory.InMemoryRegistryRequestKind;

namespace ProxySwapper.Tests.Registry.Distribution;

/// <summary>A registry that accepts an upload and then stalls.</summary>
[TestFixture]
internal sealed class UploadStallTests
{
    /// <summary>More than fits into the buffers between two processes.</summary>
    private const int Large = 64 * 1024 * 1024;

    [TestCase(Large, "less than 64 KiB transferred in 86400 s")]
    [TestCase(1000, "no response within 86400 s")]
    public async Task An_upload_that_stalls_ends_and_does_not_hang(int size, string reason)
    {
        await using var scene = await RegistryScene.StartAsync(options: RegistryScene.Options with { MaxRetries = 0 });
        var content = new byte[size];
        var requested = new TaskCompletionSource();
        scene.Faulty.Always(HttpMethod.Put, Kind.Upload, RegistryFaults.NoResponse(requested.SetResult));
        var upload = scene.Client.UploadBlobAsync(
            "a",
            new Descriptor("application/octet-stream", Digest.OfBytes(content), size),
            _ => Task.FromResult<Stream>(new MemoryStream(content)),
            null,
            default
        );
        await requested.Task;
        await TestWait.UntilAsync(() =>
        {
            if (!upload.IsCompleted)
                scene.Time.Advance(TimeSpan.FromHours(12));
            return upload.IsCompleted;
        });
        Assert.That(
            async () => await upload,
            Throws.InstanceOf<RegistryException>().With.Message.Contain(reason).And.Property("IsTransient").True
        );
    }
}
