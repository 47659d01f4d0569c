using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using ProxySwapper.Registry;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Registry.Oci;

namespace ProxySwapper.Testing.Images;

/// <summary>
/// An image for tests, determined by its seed: manifests and their blobs. With several platforms it is an index.
/// </summary>
internal sealed class TestImage
{
    private const string LayerMediaType = "application/vnd.oci.image.layer.v1.tar+gzip";
    private const string ConfigMediaType = "application/vnd.oci.image.config.v1+json";

    private TestImage(
        Manifest top,
        IReadOnlyDictionary<string, Manifest> platforms,
        IReadOnlyDictionary<Digest, ReadOnlyMemory<byte>> blobs
    ) => (Top, Platforms, Blobs) = (top, platforms, blobs);

    /// <summary>The manifest or index that a tag points to.</summary>
    public Manifest Top { get; }

    /// <summary>The manifests by platform; the top itself if there is only one platform.</summary>
    public IReadOnlyDictionary<string, Manifest> Platforms { get; }

    public IReadOnlyDictionary<Digest, ReadOnlyMemory<byte>> Blobs { get; }

    /// <param name="seed">Images with the same seed have the same bytes.</param>
    /// <param name="layers">Layers of each platform.</param>
    /// <param name="layerSize">Bytes of each layer.</param>
    /// <param name="platforms">Architectures of Linux; several make an index, one or none a manifest.</param>
    public static TestImage Create(int seed, int layers = 2, int layerSize = 10_000, params string[] platforms)
    {
        var random = new Random(seed);
        var blobs = new Dictionary<Digest, ReadOnlyMemory<byte>>();
        var manifests = new Dictionary<string, Manifest>();
        foreach (var platform in platforms.DefaultIfEmpty("amd64"))
        {
            var config = Add(
                Encoding.UTF8.GetBytes(
                    $$$"""{"architecture":"{{{platform}}}","os":"linux","config":{"Env":["SEED={{{seed}}}"]}"""
                        + $$$""","rootfs":{"type":"layers","diff_ids":[]}}"""
                ),
                ConfigMediaType
            );
            var content = new List<JsonNode?>();
            for (var index = 0; index < layers; index++)
            {
                var layer = new byte[layerSize];
                random.NextBytes(layer);
                content.Add(Add(layer, LayerMediaType));
            }
            manifests[platform] = Manifest(
                MediaTypes.OciManifest,
                new JsonObject { ["config"] = config, ["layers"] = new JsonArray([.. content]) }
            );
        }
        var top =
            manifests.Count == 1
                ? manifests.Values.Single()
                : Manifest(
                    MediaTypes.OciIndex,
                    new JsonObject
                    {
                        ["manifests"] = new JsonArray([
                            .. manifests.Select(entry =>
                                (JsonNode?)
                                    new JsonObject
                                    {
                                        ["mediaType"] = entry.Value.MediaType,
                                        ["digest"] = entry.Value.Digest.ToString(),
                                        ["size"] = entry.Value.Bytes.Length,
                                        ["platform"] = new JsonObject { ["os"] = "linux", ["architecture"] = entry.Key },
                                    }
                            ),
                        ]),
                    }
                );
        return new TestImage(top, manifests, blobs);

        JsonObject Add(byte[] bytes, string mediaType)
        {
            var digest = Digest.OfBytes(bytes);
            blobs[digest] = bytes;
            return new JsonObject
            {
                ["mediaType"] = mediaType,
                ["digest"] = digest.ToString(),
                ["size"] = bytes.Length,
            };
        }
    }

    /// <summary>Adds the image to an in-memory registry.</summary>
    public void AddTo(InMemoryRegistry registry, string repository, params string[] tags)
    {
        foreach (var blob in Blobs.Values)
            registry.AddBlob(repository, blob);
        foreach (var manifest in Platforms.Values)
            registry.AddManifest(repository, manifest.MediaType, manifest.Bytes);
        registry.AddManifest(repository, Top.MediaType, Top.Bytes, tags);
    }

    /// <summary>Pushes the image to a registry without TLS, without our client: tests of that must not depend on itself.</summary>
    public async Task PushAsync(string address, string repository, string tag, string? username = null, string? password = null)
    {
        using var client = new HttpClient { BaseAddress = new Uri($"http://{address}/v2/{repository}/") };
        if (username is not null)
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
                "Basic",
                Convert.ToBase64String(Encoding.UTF8.GetBytes($"{username}:{password}"))
            );
        foreach (var (digest, blob) in Blobs)
        {
            using var started = (await client.PostAsync(new Uri("blobs/uploads/", UriKind.Relative), null)).EnsureSuccessStatusCode();
            var place = new Uri(client.BaseAddress, started.Headers.Location!).AbsoluteUri;
            using var content = new ReadOnlyMemoryContent(blob);
            (
                await client.PutAsync(
                    new Uri($"{place}{(place.Contains('?', StringComparison.Ordinal) ? '&' : '?')}digest={digest}"),
                    content
                )
            )
                .EnsureSuccessStatusCode()
                .Dispose();
        }
        foreach (var manifest in Platforms.Values)
            await PutAsync(client, manifest, manifest.Digest.ToString());
        await PutAsync(client, Top, tag);
    }

    private static async Task PutAsync(HttpClient client, Manifest manifest, string reference)
    {
        using var content = new ReadOnlyMemoryContent(manifest.Bytes)
        {
            Headers = { ContentType = new MediaTypeHeaderValue(manifest.MediaType) },
        };
        (await client.PutAsync(new Uri($"manifests/{reference}", UriKind.Relative), content)).EnsureSuccessStatusCode().Dispose();
    }

    private static Manifest Manifest(string mediaType, JsonObject content)
    {
        var whole = new JsonObject { ["schemaVersion"] = 2, ["mediaType"] = mediaType };
        foreach (var (name, value) in content.ToList())
        {
            content.Remove(name);
            whole[name] = value;
        }
        var bytes = Encoding.UTF8.GetBytes(whole.ToJsonString());
        return new Manifest(mediaType, Digest.OfBytes(bytes), bytes);
    }
}
