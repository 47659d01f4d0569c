using System.Text.Json;

namespace ProxySwapper.Registry.Oci;

/// <summary>What a manifest says that it is about.</summary>
internal static class ManifestSubject
{
    /// <summary>The digest of the subject; null for a manifest without one.</summary>
    public static Digest? Of(ReadOnlySpan<byte> manifest)
    {
        var reader = new Utf8JsonReader(manifest);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (!reader.ValueTextEquals("subject"u8))
            {
                reader.Skip();
                continue;
            }
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject)
                return null;
            using var subject = JsonDocument.ParseValue(ref reader);
            return DescriptorJson.TryRead(subject.RootElement, out var descriptor) ? descriptor.Digest : null;
        }
        return null;
    }
}
