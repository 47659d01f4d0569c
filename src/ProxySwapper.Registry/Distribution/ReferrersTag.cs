using System.Buffers;
using System.Text.Json;
using ProxySwapper.Registry.Oci;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Registry.Distribution;

/// <summary>
/// The fallback tag for registries without the referrers API: an index of referrers, maintained by clients
/// (<see href="https://github.com/opencontainers/distribution-spec/blob/main/spec.md#unavailable-referrers-api">distribution-spec,
/// Unavailable Referrers API</see>).
/// </summary>
internal sealed class ReferrersTag(ManifestReader reader, RegistryHost host)
{
    /// <summary>The most characters of the digest in the tag, so that one of sha512 is a valid tag.</summary>
    private const int MaxHexLength = 64;

    public static string Of(Digest subject) => $"{subject.Algorithm}-{subject.Hex[..MaxHexLength]}";

    /// <summary>Adds a manifest to the referrers of a subject. Others in this process wait meanwhile, so that none is lost.</summary>
    public async Task EnterAsync(
        string repository,
        Digest subject,
        Manifest manifest,
        Func<string, Manifest, CancellationToken, Task> write,
        CancellationToken cancellationToken
    )
    {
        var tag = Of(subject);
        using var _ = await host.Locks.EnterAsync($"{repository}:{tag}", cancellationToken);
        var index = await reader.FindAsync(repository, tag, cancellationToken);
        if (With(index, manifest) is { } changed)
            await write(tag, changed, cancellationToken);
    }

    /// <summary>The index with one more entry and otherwise unchanged; null if it already has the entry.</summary>
    public static Manifest? With(Manifest? index, Manifest manifest)
    {
        var entry = ManifestReferences.Read(manifest).Referrer;
        using var old = index is null ? null : JsonDocument.Parse(index.Bytes);
        if (old is not null && DescriptorJson.List(old.RootElement, "manifests").Any(present => present.Digest == entry.Digest))
            return null;
        var output = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(output))
        {
            writer.WriteStartObject();
            writer.WriteNumber("schemaVersion", 2);
            writer.WriteString("mediaType", MediaTypes.OciIndex);
            writer.WriteStartArray("manifests");
            if (old is not null && old.RootElement.TryGetProperty("manifests", out var present) && present.ValueKind == JsonValueKind.Array)
                foreach (var descriptor in present.EnumerateArray())
                    descriptor.WriteTo(writer);
            DescriptorJson.Write(writer, entry);
            writer.WriteEndArray();
            if (old is not null)
                foreach (var property in old.RootElement.EnumerateObject())
                    if (property.Name is not ("schemaVersion" or "mediaType" or "manifests"))
                        property.WriteTo(writer);
            writer.WriteEndObject();
        }
        var bytes = output.WrittenMemory;
        return new Manifest(MediaTypes.OciIndex, Digest.OfBytes(bytes.Span), bytes);
    }
}
