using System.Text.Json;
using ProxySwapper.Registry.Oci;

namespace ProxySwapper.Registry.Copying;

/// <summary>Selects platforms of an index and creates an index of only those.</summary>
internal static class PlatformIndex
{
    /// <summary>BuildKit's annotation of a manifest that attests another one of the same index.</summary>
    private const string AttestedDigest = "vnd.docker.reference.digest";

    /// <summary>The children for these platforms, with their attestations.</summary>
    /// <exception cref="CopyException">A platform is missing; the message lists the existing ones.</exception>
    public static IReadOnlyList<Descriptor> Choose(ManifestReferences index, IReadOnlyList<Platform> platforms)
    {
        var chosen = new HashSet<Digest>();
        foreach (var platform in platforms)
        {
            var taken = index.Children.Where(child => child.Platform is { } declared && platform.IsMatch(declared)).ToList();
            if (taken.Count == 0)
                throw new CopyException(
                    $"{index.Manifest.Digest} has no {platform}; it has "
                        + string.Join(
                            ", ",
                            index
                                .Children.Select(child => child.Platform?.ToString() ?? "an entry without platform")
                                .Distinct()
                                .DefaultIfEmpty("no manifests")
                        )
                );
            chosen.UnionWith(taken.Select(child => child.Digest));
        }
        return
        [
            .. index.Children.Where(child =>
                chosen.Contains(child.Digest)
                || child.Annotations.TryGetValue(AttestedDigest, out var attested)
                    && Digest.TryParse(attested, out var digest)
                    && chosen.Contains(digest)
            ),
        ];
    }

    /// <summary>An index of some of the children; everything else, and every byte of their entries, is unchanged.</summary>
    public static Manifest Write(Manifest index, IReadOnlyList<Descriptor> children)
    {
        var kept = children.Select(child => child.Digest.ToString()).ToHashSet(StringComparer.Ordinal);
        using var document = JsonDocument.Parse(index.Bytes);
        using var output = new MemoryStream();
        using (var json = new Utf8JsonWriter(output))
        {
            json.WriteStartObject();
            foreach (var member in document.RootElement.EnumerateObject())
            {
                json.WritePropertyName(member.Name);
                if (member.NameEquals("manifests"))
                    WriteChildren(json, member.Value, kept);
                else
                    json.WriteRawValue(member.Value.GetRawText());
            }
            json.WriteEndObject();
        }
        var bytes = output.ToArray();
        return new Manifest(index.MediaType, Digest.OfBytes(bytes), bytes);
    }

    private static void WriteChildren(Utf8JsonWriter json, JsonElement manifests, HashSet<string> kept)
    {
        json.WriteStartArray();
        foreach (var entry in manifests.EnumerateArray())
            if (kept.Contains(entry.GetProperty("digest").GetString()!))
                json.WriteRawValue(entry.GetRawText());
        json.WriteEndArray();
    }
}
