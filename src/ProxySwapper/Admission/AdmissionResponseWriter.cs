using System.Buffers;
using System.Text.Json;

namespace ProxySwapper.Admission;

/// <summary>Writes the answer: always allowed, in the version that was asked in, with a patch where there is one.</summary>
internal static class AdmissionResponseWriter
{
    /// <summary>API servers cut a warning here, and drop what is beyond the sum.</summary>
    private const int MaximumWarningLength = 256;
    private const int MaximumWarningsLength = 4096;

    public static void Write(IBufferWriter<byte> output, AdmissionReview review, ReadOnlySpan<byte> patch, IReadOnlyList<SlotDecision> decisions)
    {
        using var json = new Utf8JsonWriter(output);
        json.WriteStartObject();
        json.WriteString("kind"u8, "AdmissionReview"u8);
        json.WriteString("apiVersion"u8, review.ApiVersion);
        json.WriteStartObject("response"u8);
        json.WriteString("uid"u8, review.Uid);
        json.WriteBoolean("allowed"u8, true);
        if (!patch.IsEmpty)
        {
            json.WriteString("patchType"u8, "JSONPatch"u8);
            json.WriteBase64String("patch"u8, patch);
        }
        WriteWarnings(json, decisions);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteWarnings(Utf8JsonWriter json, IReadOnlyList<SlotDecision> decisions)
    {
        var length = 0;
        foreach (var (_, decision) in decisions)
        {
            if (decision.Warning is not { } warning) continue;
            if (warning.Length > MaximumWarningLength) warning = $"{warning[..(MaximumWarningLength - 1)]}…";
            if (length + warning.Length > MaximumWarningsLength) break;
            if (length == 0) json.WriteStartArray("warnings"u8);
            json.WriteStringValue(warning);
            length += warning.Length;
        }
        if (length > 0) json.WriteEndArray();
    }
}
