using ProxySwapper.Admission.Json;
using ProxySwapper.Patterns;

namespace ProxySwapper.Admission;

/// <summary>Writes the answer: always allowed, in the version that was asked in, with a patch where there is one.</summary>
internal static class AdmissionResponseWriter
{
    /// <summary>API servers cut a warning here, and drop what is beyond the sum.</summary>
    private const int MaximumWarningLength = 256;
    private const int MaximumWarningsLength = 4096;

    public static void Write(Utf8JsonBuffer output, AdmissionReview review, ReadOnlySpan<byte> patch, PodDecision decision)
    {
        output.Append("{\"kind\":\"AdmissionReview\",\"apiVersion\":"u8);
        output.AppendString(review.ApiVersion);
        output.Append(",\"response\":{\"uid\":"u8);
        output.AppendString(review.Uid);
        output.Append(",\"allowed\":true"u8);
        if (!patch.IsEmpty)
        {
            output.Append(",\"patchType\":\"JSONPatch\",\"patch\":"u8);
            output.AppendBase64(patch);
        }
        WriteWarnings(output, review, decision);
        output.Append("}}"u8);
    }

    private static void WriteWarnings(Utf8JsonBuffer output, AdmissionReview review, PodDecision decision)
    {
        var length = 0;
        if (PodWarning(review, decision) is { } warning)
            WriteWarning(output, warning, ref length);
        foreach (var (_, image) in decision.Images)
            if (image.Warning is not null)
                WriteWarning(output, image.Warning, ref length);
        if (length > 0)
            output.Append("]"u8);
    }

    private static string? PodWarning(AdmissionReview review, PodDecision decision) =>
        decision.Outcome switch
        {
            AdmissionOutcome.MalformedPod => "the Pod is left as it is: its metadata, labels or annotations are no object",
            AdmissionOutcome.TooManyImages => $"the Pod is left as it is: it has more than {PodSummary.MaximumImages} images",
            AdmissionOutcome.Patched
                when review.SubResource.Length == 0 && !WellKnownLabels.HasRoomForOriginalImages(review.Object!, decision) =>
                "the Pod's annotations are too large for the original images to be kept there",
            _ => null,
        };

    private static void WriteWarning(Utf8JsonBuffer output, string warning, ref int length)
    {
        warning = Truncation.Shorten(warning, MaximumWarningLength);
        if (length + warning.Length > MaximumWarningsLength)
            return;
        output.Append(length == 0 ? ",\"warnings\":["u8 : ","u8);
        output.AppendString(warning);
        length += warning.Length;
    }
}
