using System.Buffers;
using System.Text.Json;
using ProxySwapper.Rules;

namespace ProxySwapper.Admission;

/// <summary>Writes the answer: always allowed, in the version that was asked in, with a patch where there is one.</summary>
internal static class AdmissionResponseWriter
{
    /// <summary>API servers cut a warning here, and drop what is beyond the sum.</summary>
    private const int MaximumWarningLength = 256;
    private const int MaximumWarningsLength = 4096;

    public static void Write(IBufferWriter<byte> output, AdmissionReview review, ReadOnlySpan<byte> patch, PodDecision decision)
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
        WriteWarnings(json, review, decision);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteWarnings(Utf8JsonWriter json, AdmissionReview review, PodDecision decision)
    {
        var length = 0;
        if (PodWarning(review, decision) is { } warning) WriteWarning(json, warning, ref length);
        foreach (var (_, image) in decision.Images)
            if (image.Warning is not null) WriteWarning(json, image.Warning, ref length);
        if (length > 0) json.WriteEndArray();
    }

    private static string? PodWarning(AdmissionReview review, PodDecision decision) => decision.Outcome switch
    {
        AdmissionOutcome.MalformedPod => "the Pod is left as it is: its metadata, labels or annotations are no object",
        AdmissionOutcome.Patched when review.SubResource.Length == 0 && !PodMarks.HasRoomForOriginalImages(review.Object!, decision) =>
            "the Pod's annotations are too large for the original images to be kept there",
        _ => null,
    };

    private static void WriteWarning(Utf8JsonWriter json, string warning, ref int length)
    {
        warning = WarningText.Shorten(warning, MaximumWarningLength);
        if (length + warning.Length > MaximumWarningsLength) return;
        if (length == 0) json.WriteStartArray("warnings"u8);
        json.WriteStringValue(warning);
        length += warning.Length;
    }
}
