using System.Text.Json;
using ProxySwapper.Registry.Oci;

namespace ProxySwapper.Registry.Copying;

/// <summary>A manifest and what it names.</summary>
/// <param name="Content">The bytes as they came.</param>
/// <param name="Children">Manifests below an index; empty for an image.</param>
/// <param name="Blobs">Configuration and layers that a registry holds; foreign layers are none of them.</param>
internal sealed record ManifestNode(Manifest Content, IReadOnlyList<Descriptor> Children, IReadOnlyList<Descriptor> Blobs)
{
    /// <summary>More children than any real index has; more is an attack on whoever reads it.</summary>
    private const int MaximumEntries = 10_000;

    /// <summary>Reads what a manifest names.</summary>
    /// <exception cref="CopyException">It is malformed, or names more than is sane.</exception>
    public static ManifestNode Read(Manifest content)
    {
        try
        {
            using var document = JsonDocument.Parse(content.Bytes, new JsonDocumentOptions { MaxDepth = 64 });
            var root = document.RootElement;
            var isIndex = MediaTypes.IsIndex(content.MediaType) || root.TryGetProperty("manifests", out _);
            var node = isIndex
                ? new ManifestNode(content, Strictly(root, "manifests"), [])
                : new ManifestNode(content, [], [.. Config(root), .. Strictly(root, "layers"), .. Strictly(root, "blobs")]);
            if (node.Children.Count + node.Blobs.Count > MaximumEntries)
                throw new CopyException($"the manifest {content.Digest} names more than {MaximumEntries} others");
            return node with { Blobs = [.. node.Blobs.Where(blob => !blob.IsForeign).DistinctBy(blob => blob.Digest)] };
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            throw new CopyException($"the manifest {content.Digest} is no {content.MediaType}: {fault.Message}");
        }
    }

    private static IEnumerable<Descriptor> Config(JsonElement root)
    {
        if (!root.TryGetProperty("config", out var config) || config.ValueKind == JsonValueKind.Null)
            return [];
        return DescriptorJson.TryRead(config, out var descriptor)
            ? [descriptor]
            : throw new InvalidOperationException("its config is no descriptor");
    }

    /// <summary>What is none of the descriptors that it should be cannot be copied, and must not be left out in silence.</summary>
    private static List<Descriptor> Strictly(JsonElement root, string name)
    {
        var descriptors = DescriptorJson.List(root, name).ToList();
        var count = root.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array ? list.GetArrayLength() : 0;
        return descriptors.Count == count ? descriptors : throw new InvalidOperationException($"its {name} are not all descriptors");
    }
}
