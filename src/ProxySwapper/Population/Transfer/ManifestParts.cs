using System.Text.Json;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Oci;

namespace ProxySwapper.Population.Transfer;

/// <summary>What a manifest or an index names.</summary>
internal static class ManifestParts
{
    /// <summary>The manifests of an index, in its order.</summary>
    /// <exception cref="FormatException">It is no index.</exception>
    public static IReadOnlyList<Descriptor> ChildrenOf(Manifest index) =>
        Read<IReadOnlyList<Descriptor>>(index, root => [.. root.GetProperty("manifests").EnumerateArray().Select(DescriptorOf)]);

    /// <summary>Configuration and layers of a manifest, without those that registries don't hold.</summary>
    /// <exception cref="FormatException">It is no manifest.</exception>
    public static IReadOnlyList<Descriptor> BlobsOf(Manifest manifest) =>
        Read<IReadOnlyList<Descriptor>>(
            manifest,
            root =>
                [
                    .. root.GetProperty("layers")
                        .EnumerateArray()
                        .Prepend(root.GetProperty("config"))
                        .Select(DescriptorOf)
                        .Where(blob => !blob.IsForeign),
                ]
        );

    private static T Read<T>(Manifest manifest, Func<JsonElement, T> read)
    {
        try
        {
            using var document = JsonDocument.Parse(manifest.Bytes);
            return read(document.RootElement);
        }
        catch (Exception fault) when (fault is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new FormatException($"the manifest {manifest.Digest} is none of {manifest.MediaType}: {fault.Message}", fault);
        }
    }

    private static Descriptor DescriptorOf(JsonElement element) =>
        new(
            element.GetProperty("mediaType").GetString() ?? "",
            Digest.Parse(element.GetProperty("digest").GetString() ?? ""),
            element.GetProperty("size").GetInt64()
        )
        {
            Platform = element.TryGetProperty("platform", out var platform)
                ? new Platform(
                    platform.GetProperty("os").GetString() ?? "",
                    platform.GetProperty("architecture").GetString() ?? "",
                    platform.TryGetProperty("variant", out var variant) ? variant.GetString() : null
                )
                : null,
            Urls = element.TryGetProperty("urls", out var urls) ? [.. urls.EnumerateArray().Select(url => url.GetString() ?? "")] : [],
        };
}
