using System.Text.Json;

namespace ProxySwapper.Registry.Oci;

/// <summary>Descriptors as JSON.</summary>
internal static class DescriptorJson
{
    /// <summary>256 TiB: more than any blob, and small enough that the sizes of a whole image can be added.</summary>
    private const long MaxSize = 1L << 48;

    /// <summary>Reads a descriptor.</summary>
    /// <param name="json">The descriptor.</param>
    /// <param name="name">Its member's name, for the message.</param>
    /// <exception cref="FormatException">It is not one: without media type, size or a digest of a known algorithm.</exception>
    public static Descriptor Read(JsonElement json, string name)
    {
        if (Validate(json) is { } fault)
            throw new FormatException($"{name} is not a valid descriptor: {fault}");
        _ = Digest.TryParse(Text(json, "digest"), out var digest);
        return new Descriptor(Text(json, "mediaType")!, digest, json.GetProperty("size").GetInt64())
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
    }

    private static string? Validate(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object)
            return "it must be an object";
        if (Text(json, "mediaType") is not { Length: > 0 })
            return "its mediaType must be a string";
        if (!Digest.TryParse(Text(json, "digest"), out _))
            return "its digest must be a string such as sha256:<64 hexadecimal digits>";
        return
            json.TryGetProperty("size", out var size)
            && size.ValueKind == JsonValueKind.Number
            && size.TryGetInt64(out var bytes)
            && bytes is >= 0 and <= MaxSize
            ? null
            : $"its size must be an integer from 0 to {MaxSize}";
    }

    /// <summary>
    /// The descriptors of a list in an object, such as <c>manifests</c>. Anything else is an error; null counts as empty, since tools in Go
    /// write empty lists so.
    /// </summary>
    /// <exception cref="FormatException">It is not a list, or one of its entries is not a descriptor.</exception>
    public static IReadOnlyList<Descriptor> List(JsonElement json, string name)
    {
        if (!json.TryGetProperty(name, out var list) || list.ValueKind == JsonValueKind.Null)
            return [];
        if (list.ValueKind != JsonValueKind.Array)
            throw new FormatException($"{name} must be a list");
        return [.. list.EnumerateArray().Select((item, index) => Read(item, $"{name}[{index}]"))];
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

    /// <summary>Writes a descriptor as an entry of an index of referrers, with artifact type and annotations.</summary>
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
