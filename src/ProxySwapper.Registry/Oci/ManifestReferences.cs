using System.Text.Json;

namespace ProxySwapper.Registry.Oci;

/// <summary>
/// A manifest and its references
/// (<see href="https://github.com/opencontainers/image-spec/blob/main/manifest.md">OCI image-spec, Image Manifest</see>,
/// <see href="https://github.com/opencontainers/image-spec/blob/main/image-index.md">Image Index</see>).
/// </summary>
/// <param name="Manifest">The manifest itself.</param>
/// <param name="Children">The manifests of an index, in its order; empty for an image.</param>
/// <param name="IsIndex">Whether it lists manifests, perhaps none.</param>
/// <param name="Blobs">Configuration and layers stored by the registry, each once.</param>
/// <param name="ForeignLayers">Layers that registries do not store.</param>
/// <param name="Subject">The digest of the manifest that this one refers to, or null.</param>
/// <param name="ArtifactType">The artifact type, else the configuration's media type; or null.</param>
/// <param name="Annotations">Its annotations; empty if there are none.</param>
public sealed record ManifestReferences(
    Manifest Manifest,
    IReadOnlyList<Descriptor> Children,
    bool IsIndex,
    IReadOnlyList<Descriptor> Blobs,
    IReadOnlyList<Descriptor> ForeignLayers,
    Digest? Subject,
    string? ArtifactType,
    IReadOnlyDictionary<string, string> Annotations
)
{
    /// <summary>More than any real manifest has; more would be an attack.</summary>
    private const int MaxEntries = 10_000;

    /// <summary>The manifest's descriptor for a list of referrers.</summary>
    public Descriptor Referrer => Manifest.Descriptor with { ArtifactType = ArtifactType, Annotations = Annotations };

    /// <summary>Reads a manifest's references. An invalid descriptor is an error, since skipping it would silently lose content.</summary>
    /// <exception cref="FormatException">It is malformed or has too many references; the message has its digest.</exception>
    public static ManifestReferences Read(Manifest manifest)
    {
        try
        {
            using var document = JsonDocument.Parse(manifest.Bytes, new JsonDocumentOptions { MaxDepth = 64 });
            var root = document.RootElement;
            var isIndex = HasManifests(manifest.MediaType, root);
            var config = isIndex ? null : ConfigOf(root);
            if (!isIndex && !((string[])["config", "layers", "blobs", "subject"]).Any(name => root.TryGetProperty(name, out _)))
                throw new FormatException("it has neither config nor layers");
            IReadOnlyList<Descriptor> children = isIndex ? DescriptorJson.List(root, "manifests") : [];
            IEnumerable<Descriptor> blobs = isIndex ? [] : [.. DescriptorJson.List(root, "layers"), .. DescriptorJson.List(root, "blobs")];
            if (config is not null)
                blobs = blobs.Prepend(config);
            var byPlace = blobs.DistinctBy(blob => (blob.Digest, blob.IsForeign)).ToLookup(blob => blob.IsForeign);
            List<Descriptor> held = [.. byPlace[false]];
            if (children.Count + held.Count > MaxEntries)
                throw new FormatException($"it has more than {MaxEntries} references");
            return new ManifestReferences(
                manifest,
                children,
                isIndex,
                held,
                [.. byPlace[true]],
                SubjectOf(root),
                DescriptorJson.Text(root, "artifactType") ?? config?.MediaType,
                DescriptorJson.Annotations(root)
            );
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException or FormatException)
        {
            // A type that is not known is any text of the server.
            var kind = MediaTypes.Manifests.Contains(manifest.MediaType) ? manifest.MediaType : "manifest";
            throw new FormatException($"the manifest {manifest.Digest} is not a valid {kind}: {fault.Message}", fault);
        }
    }

    /// <summary>Whether it lists manifests. One that is an index and an image would be copied as one of them and lose the other.</summary>
    private static bool HasManifests(string mediaType, JsonElement root)
    {
        var hasManifests = root.TryGetProperty("manifests", out var manifests);
        if (!hasManifests && !MediaTypes.IsIndex(mediaType))
            return false;
        if (!hasManifests || manifests.ValueKind != JsonValueKind.Array)
            throw new FormatException("manifests must be a list");
        foreach (var name in (ReadOnlySpan<string>)["config", "layers", "blobs"])
            if (root.TryGetProperty(name, out var other) && other.ValueKind != JsonValueKind.Null)
                throw new FormatException($"manifests and {name} cannot be combined");
        return true;
    }

    /// <summary>The configuration; artifacts that are no images have none.</summary>
    private static Descriptor? ConfigOf(JsonElement root) =>
        root.TryGetProperty("config", out var config) ? DescriptorJson.Read(config, "config") : null;

    private static Digest? SubjectOf(JsonElement root) =>
        root.TryGetProperty("subject", out var subject) && subject.ValueKind != JsonValueKind.Null
            ? DescriptorJson.Read(subject, "subject").Digest
            : null;
}
