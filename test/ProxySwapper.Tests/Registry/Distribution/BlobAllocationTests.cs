using System.Security.Cryptography;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Oci;
using ProxySwapper.Testing.Registries;
using Kind = ProxySwapper.Registry.InMemory.InMemoryRegistryRequestKind;

namespace ProxySwapper.Tests.Registry.Distribution;

[TestFixture, NonParallelizable]
internal sealed class BlobAllocationTests
{
    private const int MiB = 1024 * 1024;
    private static readonly byte[] Piece = new byte[64 * 1024];

    [Test]
    public async Task A_blob_that_streams_through_allocates_little_however_large_it_is()
    {
        await using var scene = await RegistryScene.StartAsync();
        var (small, large) = (Zeros(8), Zeros(72));
        // A registry that keeps nothing and reads one piece at a time.
        scene.Faulty.Always(
            HttpMethod.Get,
            Kind.Blob,
            async (context, _) =>
            {
                context.Response.ContentLength = context.Request.Path.Value!.EndsWith(small.Digest.Hex, StringComparison.Ordinal)
                    ? small.Size
                    : large.Size;
                for (var left = context.Response.ContentLength; left > 0; left -= Piece.Length)
                    await context.Response.Body.WriteAsync(Piece);
            }
        );
        scene.Faulty.Always(
            HttpMethod.Put,
            Kind.Upload,
            async (context, _) =>
            {
                await context.Request.Body.CopyToAsync(Stream.Null);
                context.Response.StatusCode = 201;
            }
        );
        await AllocatedAsync(small);
        var (few, many) = (await AllocatedAsync(small), await AllocatedAsync(large));
        // The registry runs in this process and allocates too, the more the smaller its pieces; a blob that is buffered, or copied between
        // buffers, would take one MiB each time.
        Assert.That((many - few) / 64, Is.LessThan(MiB / 8), "bytes for each MiB more");

        async Task<long> AllocatedAsync(Descriptor blob)
        {
            var before = GC.GetTotalAllocatedBytes(precise: true);
            await scene.Client.UploadBlobAsync("b", blob, token => scene.Client.OpenBlobAsync("a", blob, token), null, default);
            return GC.GetTotalAllocatedBytes(precise: true) - before;
        }
    }

    private static Descriptor Zeros(int megabytes)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (var left = megabytes * MiB; left > 0; left -= Piece.Length)
            hash.AppendData(Piece);
        return new Descriptor(
            "application/octet-stream",
            Digest.Parse($"sha256:{Convert.ToHexStringLower(hash.GetHashAndReset())}"),
            megabytes * MiB
        );
    }
}
