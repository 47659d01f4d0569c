using System.Text.Json;
using ProxySwapper.Registry.Oci;

namespace ProxySwapper.Registry.InMemory;

/// <summary>The few things that a registry reads in a manifest: what must be there before it, and what it is about.</summary>
internal sealed record InMemoryRegistryManifest(
    IReadOnlyList<Digest> Blobs,
    IReadOnlyList<Digest> Children,
    Digest? Subject,
    string? ArtifactType,
    JsonElement? Annotations
)
{
    /// <exception cref="JsonException">The bytes are no JSON object.</exception>
    public static InMemoryRegistryManifest Read(ReadOnlyMemory<byte> bytes)
    {
        using var document = JsonDocument.Parse(bytes);
        var root = document.RootElement;
        if (root.ValueKind != JsonValueKind.Object)
            throw new JsonException("A manifest is an object.");
        var config = root.TryGetProperty("config", out var value) ? value : default;
        var blobs = Descriptors(root, "layers")
            .Concat(config.ValueKind == JsonValueKind.Object ? [config] : [])
            .Where(descriptor => !descriptor.TryGetProperty("urls", out _))
            .Select(DigestOf)
            .ToList();
        var artifactType = Text(root, "artifactType") ?? (config.ValueKind == JsonValueKind.Object ? Text(config, "mediaType") : null);
        return new InMemoryRegistryManifest(
            blobs,
            [.. Descriptors(root, "manifests").Select(DigestOf)],
            root.TryGetProperty("subject", out var subject) ? DigestOf(subject) : null,
            artifactType,
            root.TryGetProperty("annotations", out var annotations) ? annotations.Clone() : null
        );
    }

    /// <summary>The entry of an answer of the referrers API.</summary>
    public void WriteReferrer(Utf8JsonWriter writer, Descriptor descriptor)
    {
        writer.WriteStartObject();
        writer.WriteString("mediaType", descriptor.MediaType);
        writer.WriteString("digest", descriptor.Digest.ToString());
        writer.WriteNumber("size", descriptor.Size);
        if (ArtifactType is not null)
            writer.WriteString("artifactType", ArtifactType);
        if (Annotations is { } annotations)
        {
            writer.WritePropertyName("annotations");
            annotations.WriteTo(writer);
        }
        writer.WriteEndObject();
    }

    private static JsonElement.ArrayEnumerator Descriptors(JsonElement root, string name) =>
        root.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array ? list.EnumerateArray() : default;

    private static Digest DigestOf(JsonElement descriptor) =>
        Digest.TryParse(Text(descriptor, "digest"), out var digest) ? digest : throw new JsonException("A descriptor without a digest.");

    private static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
