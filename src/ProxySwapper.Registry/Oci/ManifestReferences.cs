using System.Text.Json;

namespace ProxySwapper.Registry.Oci;

/// <summary>
/// A manifest and what it names
/// (<see href="https://github.com/opencontainers/image-spec/blob/main/manifest.md">OCI image-spec, Image Manifest</see>,
/// <see href="https://github.com/opencontainers/image-spec/blob/main/image-index.md">Image Index</see>).
/// </summary>
/// <param name="Manifest">The manifest itself.</param>
/// <param name="Children">The manifests of an index, in its order; empty for an image.</param>
/// <param name="Blobs">Configuration and layers that a registry holds, each once; foreign layers are not among them.</param>
/// <param name="Subject">The digest of the manifest that this one refers to, or null.</param>
/// <param name="ArtifactType">What an artifact is: its own word, else its configuration's media type; or null.</param>
/// <param name="Annotations">Its annotations; empty when there are none.</param>
public sealed record ManifestReferences(
    Manifest Manifest,
    IReadOnlyList<Descriptor> Children,
    IReadOnlyList<Descriptor> Blobs,
    Digest? Subject,
    string? ArtifactType,
    IReadOnlyDictionary<string, string> Annotations
)
{
    /// <summary>More than any real manifest names; more is an attack on whoever reads it.</summary>
    private const int MaxEntries = 10_000;

    /// <summary>The manifest as a list of referrers shows it.</summary>
    public Descriptor Referrer => Manifest.Descriptor with { ArtifactType = ArtifactType, Annotations = Annotations };

    /// <summary>Reads what a manifest names. What is not a descriptor is an error: left out, it would be lost without a word.</summary>
    /// <exception cref="FormatException">It is malformed, or names more than is sane; the message says its digest.</exception>
    public static ManifestReferences Read(Manifest manifest)
    {
        try
        {
            using var document = JsonDocument.Parse(manifest.Bytes, new JsonDocumentOptions { MaxDepth = 64 });
            var root = document.RootElement;
            var isIndex = MediaTypes.IsIndex(manifest.MediaType) || root.TryGetProperty("manifests", out _);
            var config = isIndex ? null : Config(root);
            IReadOnlyList<Descriptor> children = isIndex ? DescriptorJson.ListStrictly(root, "manifests") : [];
            IEnumerable<Descriptor> blobs = isIndex
                ? []
                : [.. DescriptorJson.ListStrictly(root, "layers"), .. DescriptorJson.ListStrictly(root, "blobs")];
            if (config is not null)
                blobs = blobs.Prepend(config);
            List<Descriptor> held = [.. blobs.Where(blob => !blob.IsForeign).DistinctBy(blob => blob.Digest)];
            if (children.Count + held.Count > MaxEntries)
                throw new FormatException($"it names more than {MaxEntries} others");
            return new ManifestReferences(
                manifest,
                children,
                held,
                root.TryGetProperty("subject", out var subject) && DescriptorJson.TryRead(subject, out var about) ? about.Digest : null,
                DescriptorJson.Text(root, "artifactType") ?? config?.MediaType,
                DescriptorJson.Annotations(root)
            );
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException or FormatException)
        {
            throw new FormatException($"the manifest {manifest.Digest} is not a valid {manifest.MediaType}: {fault.Message}", fault);
        }
    }

    private static Descriptor? Config(JsonElement root)
    {
        if (!root.TryGetProperty("config", out var config) || config.ValueKind == JsonValueKind.Null)
            return null;
        return DescriptorJson.TryRead(config, out var descriptor)
            ? descriptor
            : throw new FormatException("its config is not a descriptor");
    }
}
