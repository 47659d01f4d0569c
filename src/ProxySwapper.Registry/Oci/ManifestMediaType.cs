using System.Text.Json;
using System.Text.RegularExpressions;

namespace ProxySwapper.Registry.Oci;

/// <summary>
/// Determines the media type of a manifest. Its own <c>mediaType</c> has priority over the header, which registries and caches get wrong;
/// without it the header is used, and if that is no help, the structure.
/// </summary>
internal static partial class ManifestMediaType
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

    /// <summary>
    /// Whether it can be sent as a Content-Type: type and subtype
    /// (<see href="https://www.rfc-editor.org/rfc/rfc6838#section-4.2">RFC 6838 §4.2</see>), without parameters.
    /// </summary>
    public static bool IsValid(string mediaType) => Valid().IsMatch(mediaType);

    public static bool IsFirstSchema(string mediaType) => mediaType is MediaTypes.DockerSchema1 or MediaTypes.DockerSchema1Signed;

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}\z")]
    private static partial Regex Valid();
}
