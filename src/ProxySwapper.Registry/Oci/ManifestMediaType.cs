using System.Text.Json;

namespace ProxySwapper.Registry.Oci;

/// <summary>
/// Determines the media type of a manifest. Its own <c>mediaType</c> has priority over the header, which registries and caches get wrong;
/// without it the header is used, and if that is no help, the structure.
/// </summary>
internal static class ManifestMediaType
{
    /// <summary>The media type without parameters; null if the bytes are not a manifest.</summary>
    public static string? Of(ReadOnlySpan<byte> manifest, string? contentType)
    {
        string? own = null;
        int? schemaVersion = null;
        bool hasManifests = false,
            hasConfig = false,
            hasLayers = false,
            isFirstSchema = false;
        try
        {
            var reader = new Utf8JsonReader(manifest);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
                return null;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var name = reader.GetString();
                reader.Read();
                if (name == "mediaType" && reader.TokenType == JsonTokenType.String)
                    own = reader.GetString();
                else if (name == "schemaVersion" && reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out var version))
                    schemaVersion = version;
                else if (name == "fsLayers")
                    isFirstSchema = true;
                else if (name == "manifests")
                    hasManifests = reader.TokenType == JsonTokenType.StartArray;
                else if (name == "config")
                    hasConfig = reader.TokenType == JsonTokenType.StartObject;
                else if (name == "layers")
                    hasLayers = reader.TokenType == JsonTokenType.StartArray;
                reader.Skip();
            }
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            return null;
        }
        if (schemaVersion == 1 || isFirstSchema)
            return contentType is MediaTypes.DockerSchema1 ? contentType : MediaTypes.DockerSchema1Signed;
        if (!string.IsNullOrEmpty(own))
            return own;
        if (contentType is not null and not ("application/json" or "application/octet-stream" or "text/plain"))
            return contentType;
        return hasManifests ? MediaTypes.OciIndex
            : hasConfig || hasLayers ? MediaTypes.OciManifest
            : null;
    }

    public static bool IsFirstSchema(string mediaType) => mediaType is MediaTypes.DockerSchema1 or MediaTypes.DockerSchema1Signed;
}
