using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace ProxySwapper.Registry.Oci;

/// <summary>Descriptors as JSON.</summary>
internal static class DescriptorJson
{
    /// <summary>Reads a descriptor; false for what is none: without media type, size or a digest of a known algorithm.</summary>
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
            || bytes < 0
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

    /// <summary>The descriptors of a list of an object, for instance <c>manifests</c>; what is none is left out.</summary>
    public static IEnumerable<Descriptor> List(JsonElement json, string name)
    {
        if (json.ValueKind != JsonValueKind.Object || !json.TryGetProperty(name, out var list) || list.ValueKind != JsonValueKind.Array)
            yield break;
        foreach (var item in list.EnumerateArray())
            if (TryRead(item, out var descriptor))
                yield return descriptor;
    }

    /// <summary>The annotations of a manifest or descriptor; those that are no text are left out.</summary>
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
