using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace ProxySwapper.Registry.Oci;

/// <summary>Descriptors as JSON.</summary>
internal static class DescriptorJson
{
    /// <summary>256 TiB: more than any blob, and small enough that the sizes of a whole image can be added.</summary>
    private const long MaxSize = 1L << 48;

    /// <summary>Reads a descriptor; false if it is not one: without media type, size or a digest of a known algorithm.</summary>
    public static bool TryRead(JsonElement json, [NotNullWhen(true)] out Descriptor? descriptor)
    {
        descriptor = null;
        if (
            json.ValueKind != JsonValueKind.Object
            || Text(json, "mediaType") is not { Length: > 0 } mediaType
            || !Digest.TryParse(Text(json, "digest"), out var digest)
        )
            return false;
        if (
            !json.TryGetProperty("size", out var size)
            || size.ValueKind != JsonValueKind.Number
            || !size.TryGetInt64(out var bytes)
            || bytes is < 0 or > MaxSize
        )
            return false;
        descriptor = new Descriptor(mediaType, digest, bytes)
        {
            Platform = PlatformOf(json),
            ArtifactType = Text(json, "artifactType"),
            Annotations = Annotations(json),
            Urls = Texts(json, "urls"),
            Data =
                json.TryGetProperty("data", out var data)
                && data.ValueKind == JsonValueKind.String
                && data.TryGetBytesFromBase64(out var content)
                    ? content
                    : null,
        };
        return true;
    }

    /// <summary>The descriptors of a list in an object, such as <c>manifests</c>; invalid ones are skipped.</summary>
    public static IEnumerable<Descriptor> List(JsonElement json, string name)
    {
        if (json.ValueKind != JsonValueKind.Object || !json.TryGetProperty(name, out var list) || list.ValueKind != JsonValueKind.Array)
            yield break;
        foreach (var item in list.EnumerateArray())
            if (TryRead(item, out var descriptor))
                yield return descriptor;
    }

    /// <summary>The same; an invalid descriptor is an error.</summary>
    /// <exception cref="FormatException">One of the entries is not a descriptor.</exception>
    public static IReadOnlyList<Descriptor> ListStrictly(JsonElement json, string name)
    {
        List<Descriptor> descriptors = [.. List(json, name)];
        var count = json.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array ? list.GetArrayLength() : 0;
        return descriptors.Count == count ? descriptors : throw new FormatException($"its {name} are not all descriptors");
    }

    /// <summary>The annotations of a manifest or descriptor; those that are not strings are skipped.</summary>
    public static IReadOnlyDictionary<string, string> Annotations(JsonElement json) =>
        json.TryGetProperty("annotations", out var annotations) && annotations.ValueKind == JsonValueKind.Object
            ? annotations
                .EnumerateObject()
                .Where(entry => entry.Value.ValueKind == JsonValueKind.String)
                .GroupBy(entry => entry.Name, StringComparer.Ordinal)
                .ToDictionary(entries => entries.Key, entries => entries.Last().Value.GetString()!, StringComparer.Ordinal)
            : System.Collections.Frozen.FrozenDictionary<string, string>.Empty;

    public static string? Text(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>Writes a descriptor as an entry of an index, with platform, artifact type and annotations.</summary>
    public static void Write(Utf8JsonWriter writer, Descriptor descriptor)
    {
        writer.WriteStartObject();
        writer.WriteString("mediaType", descriptor.MediaType);
        writer.WriteString("digest", descriptor.Digest.ToString());
        writer.WriteNumber("size", descriptor.Size);
        if (descriptor.ArtifactType is { } type)
            writer.WriteString("artifactType", type);
        if (descriptor.Annotations.Count > 0)
        {
            writer.WriteStartObject("annotations");
            foreach (var (name, value) in descriptor.Annotations)
                writer.WriteString(name, value);
            writer.WriteEndObject();
        }
        writer.WriteEndObject();
    }

    private static Platform? PlatformOf(JsonElement json) =>
        json.TryGetProperty("platform", out var platform)
        && platform.ValueKind == JsonValueKind.Object
        && Text(platform, "os") is { Length: > 0 } os
        && Text(platform, "architecture") is { Length: > 0 } architecture
            ? new Platform(os, architecture, Text(platform, "variant") is { Length: > 0 } variant ? variant : null)
            {
                OperatingSystemVersion = Text(platform, "os.version"),
            }
            : null;

    private static IReadOnlyList<string> Texts(JsonElement json, string name) =>
        json.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array
            ? [.. list.EnumerateArray().Where(item => item.ValueKind == JsonValueKind.String).Select(item => item.GetString()!)]
            : [];
}
