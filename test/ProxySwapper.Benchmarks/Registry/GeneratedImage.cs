using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Oci;

namespace ProxySwapper.Benchmarks.Registry;

/// <summary>
/// A registry with one image of any size, whose layers are generated while they are sent: random bytes with a number per MiB.
/// </summary>
internal sealed class GeneratedImage : IAsyncDisposable
{
    public const int MiB = 1024 * 1024;

    private readonly WebApplication _server;
    private readonly Dictionary<string, long> _layers = [];
    private readonly byte[] _config = Encoding.UTF8.GetBytes(
        """{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}"""
    );
    private readonly byte[] _random = new byte[MiB];
    private readonly byte[] _manifest;

    private GeneratedImage(WebApplication server, int layers, int layerMegabytes)
    {
        _server = server;
        new Random(layerMegabytes).NextBytes(_random);
        // The bytes contain the layer's number, so that no two layers are the same.
        for (var layer = 0; layer < layers; layer++)
            _layers[DigestOf(layer, layerMegabytes)] = (long)layer << 32 | (long)layerMegabytes;
        var descriptors = _layers.Select(layer =>
            Descriptor("application/vnd.oci.image.layer.v1.tar+gzip", layer.Key, (layer.Value & int.MaxValue) * MiB)
        );
        _manifest = Encoding.UTF8.GetBytes(
            $$"""
            {"schemaVersion":2,"mediaType":"{{MediaTypes.OciManifest}}","config":{{Descriptor(
                "application/vnd.oci.image.config.v1+json",
                Digest.OfBytes(_config).ToString(),
                _config.Length
            )}},"layers":[{{string.Join(',', descriptors)}}]}
            """
        );
        server.Run(RespondAsync);
    }

    /// <summary>The image, as references write it.</summary>
    public string Reference => $"{new Uri(_server.Urls.First()).Authority}/generated:1";

    public static async Task<GeneratedImage> StartAsync(int layers, int layerMegabytes)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var image = new GeneratedImage(builder.Build(), layers, layerMegabytes);
        await image._server.StartAsync();
        return image;
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private static string Descriptor(string mediaType, string digest, long size) =>
        $$"""{"mediaType":"{{mediaType}}","digest":"{{digest}}","size":{{size}}}""";

    private string DigestOf(int layer, int megabytes)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (var index = 0; index < megabytes; index++)
        {
            hash.AppendData(Number(layer, index));
            hash.AppendData(_random, sizeof(long), MiB - sizeof(long));
        }
        return $"sha256:{Convert.ToHexStringLower(hash.GetHashAndReset())}";
    }

    private static byte[] Number(int layer, int index)
    {
        var number = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(number, (long)layer << 32 | (long)index);
        return number;
    }

    private async Task RespondAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!;
        if (path.Contains("/manifests/", StringComparison.Ordinal))
        {
            context.Response.ContentType = MediaTypes.OciManifest;
            context.Response.Headers["Docker-Content-Digest"] = Digest.OfBytes(_manifest).ToString();
            await SendAsync(context, _manifest);
        }
        else if (path.EndsWith(Digest.OfBytes(_config).ToString(), StringComparison.Ordinal))
            await SendAsync(context, _config);
        else if (_layers.TryGetValue(path[(path.LastIndexOf('/') + 1)..], out var layer))
            await SendLayerAsync(context, (int)(layer >> 32), (int)layer);
    }

    private static async Task SendAsync(HttpContext context, byte[] bytes)
    {
        context.Response.ContentLength = bytes.Length;
        if (HttpMethods.IsGet(context.Request.Method))
            await context.Response.Body.WriteAsync(bytes);
    }

    private async Task SendLayerAsync(HttpContext context, int layer, int megabytes)
    {
        context.Response.ContentLength = (long)megabytes * MiB;
        if (HttpMethods.IsHead(context.Request.Method))
            return;
        for (var index = 0; index < megabytes; index++)
        {
            await context.Response.Body.WriteAsync(Number(layer, index));
            await context.Response.Body.WriteAsync(_random.AsMemory(sizeof(long)));
        }
    }
}
