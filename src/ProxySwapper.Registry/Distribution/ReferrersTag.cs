using System.Buffers;
using System.Net;
using System.Text.Json;
using ProxySwapper.Registry.Oci;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Registry.Distribution;

/// <summary>
/// The fallback tag for registries without the referrers API: an index of referrers, maintained by clients
/// (<see href="https://github.com/opencontainers/distribution-spec/blob/main/spec.md#unavailable-referrers-api">distribution-spec,
/// Unavailable Referrers API</see>).
/// </summary>
internal sealed class ReferrersTag(RegistryTransport transport, RegistryRequests requests, ManifestReader reader)
{
    /// <summary>The most characters of the digest in the tag, so that one of sha512 is a valid tag.</summary>
    private const int MaxHexLength = 64;

    public static string Of(Digest subject) => $"{subject.Algorithm}-{subject.Hex[..MaxHexLength]}";

    /// <summary>Whether a tag has the form of those of referrers.</summary>
    public static bool IsMatch(string tag) => tag.Split('-') is ["sha256" or "sha512", { Length: MaxHexLength }];

    /// <summary>The referrers of a subject; empty if there is no tag.</summary>
    /// <exception cref="RegistryException">What is under the tag is not such an index: its content would get lost.</exception>
    public async Task<IReadOnlyList<Descriptor>> ListAsync(string repository, Digest subject, CancellationToken cancellationToken) =>
        (await ReadAsync(repository, Of(subject), cancellationToken)).Referrers;

    /// <summary>What a list of referrers lacks of some entries.</summary>
    /// <exception cref="RegistryException">What is under the tag is not such an index.</exception>
    public async Task<IReadOnlyList<Descriptor>> FindMissingAsync(
        string repository,
        string tag,
        IReadOnlyList<Descriptor> entries,
        CancellationToken cancellationToken
    ) => Missing((await ReadAsync(repository, tag, cancellationToken)).Referrers, entries);

    /// <summary>
    /// Adds the missing ones of some entries to a list of referrers. Others in this process wait meanwhile, so that none is lost.
    /// </summary>
    /// <returns>Whether any was missing.</returns>
    /// <exception cref="RegistryException">What is under the tag is not such an index, and is left unchanged.</exception>
    public async Task<bool> EnterAsync(
        string repository,
        string tag,
        IReadOnlyList<Descriptor> entries,
        Func<string, Manifest, CancellationToken, Task> write,
        CancellationToken cancellationToken
    )
    {
        using var _ = await transport.Host.Locks.EnterAsync($"{repository}:{tag}", cancellationToken);
        var (index, _) = await ReadAsync(repository, tag, cancellationToken);
        if (With(index, entries) is not { } changed)
            return false;
        await write(tag, changed, cancellationToken);
        return true;
    }

    /// <summary>The index with more entries and otherwise unchanged; null if it already has them.</summary>
    public static Manifest? With(Manifest? index, IReadOnlyList<Descriptor> entries)
    {
        using var old = index is null ? null : JsonDocument.Parse(index.Bytes);
        var missing = Missing(index is null ? [] : ReferrersOf(index), entries);
        if (missing.Count == 0)
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
            foreach (var entry in missing)
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

    /// <summary>By a GET: some registries respond to every HEAD with 404, and signatures would be lost silently.</summary>
    private async Task<(Manifest? Index, IReadOnlyList<Descriptor> Referrers)> ReadAsync(
        string repository,
        string tag,
        CancellationToken cancellationToken
    )
    {
        if (await reader.FindAsync(repository, tag, cancellationToken) is not { } found)
            return (null, []);
        try
        {
            // Some tag an image with its own digest, to keep it; the platforms of an index are not its referrers.
            return Of(found.Digest) == tag ? throw new FormatException("it is the image itself") : (found, ReferrersOf(found));
        }
        catch (Exception fault) when (fault is FormatException or JsonException or InvalidOperationException)
        {
            var request = await requests.ToManifestAsync(HttpMethod.Get, repository, tag, cancellationToken) with
            {
                Secrets = transport.Secrets,
            };
            throw request.Fault(
                HttpStatusCode.OK,
                $"{found.MediaType} {found.Digest} is not a list of referrers: {fault.Message}; where registries have no referrers API, "
                    + "this tag lists the signatures and SBOMs of an image. Give what is there another tag, and remove this one",
                fault
            );
        }
    }

    private static IReadOnlyList<Descriptor> Missing(IReadOnlyList<Descriptor> present, IReadOnlyList<Descriptor> entries)
    {
        var digests = present.Select(entry => entry.Digest).ToHashSet();
        return [.. entries.Where(entry => digests.Add(entry.Digest))];
    }

    /// <exception cref="FormatException">It is not an index, or is malformed.</exception>
    private static IReadOnlyList<Descriptor> ReferrersOf(Manifest index)
    {
        using var document = JsonDocument.Parse(index.Bytes);
        var isImage = MediaTypes.Manifests.Contains(index.MediaType) && !MediaTypes.IsIndex(index.MediaType);
        return isImage || !document.RootElement.TryGetProperty("manifests", out _)
            ? throw new FormatException("it is not an image index")
            : DescriptorJson.List(document.RootElement, "manifests");
    }
}
