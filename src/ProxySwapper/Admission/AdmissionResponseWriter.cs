using ProxySwapper.Admission.Json;
using ProxySwapper.Patterns;

namespace ProxySwapper.Admission;

/// <summary>Writes the response: always allowed, in the version of the request, with a patch if there is one.</summary>
internal static class AdmissionResponseWriter
{
    /// <summary>
    /// For requests that are dry runs themselves (<c>kubectl --dry-run=server</c>, <c>proxyswapper check</c>), with <c>dryRun</c> on:
    /// the only sign that the API server called the webhook, since the Pod stays unchanged.
    /// </summary>
    public const string DryRunWarning = DryRunPrefix + "is on, the Pod is left unchanged";

    /// <summary>Begins the warnings of a dry run.</summary>
    public const string DryRunPrefix = "proxyswapper dryRun ";

    /// <summary>API servers truncate longer warnings and drop those beyond the total.</summary>
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
        WriteWarnings(output, decision, isExplained: decision.IsDryRun && review.IsDryRun);
        output.Append("}}"u8);
    }

    private static void WriteWarnings(Utf8JsonBuffer output, PodDecision decision, bool isExplained)
    {
        var length = 0;
        if (PodWarning(decision) is { } warning)
            WriteWarning(output, warning, ref length);
        if (isExplained && decision.Outcome is AdmissionOutcome.DryRun or AdmissionOutcome.Unchanged)
            WriteWarning(output, DryRunWarning, ref length);
        foreach (var (_, image) in decision.Images)
        {
            if (image.Warning is not null)
                WriteWarning(output, image.Warning, ref length);
            if (isExplained && image.IsRewritten)
                WriteWarning(output, $"{DryRunPrefix}would rewrite {image.Image} to {image.Target} ({image.Rule})", ref length);
        }
        if (length > 0)
            output.Append("]"u8);
    }

    private static string? PodWarning(PodDecision decision) =>
        decision.Outcome switch
        {
            AdmissionOutcome.MalformedPod =>
                "the Pod is left unchanged: metadata, metadata.labels and metadata.annotations must be objects",
            AdmissionOutcome.TooManyImages => $"the Pod is left unchanged: it has more than {PodSummary.MaximumImages} images",
            AdmissionOutcome.PodTooLarge => "the Pod is left unchanged: the patched Pod would exceed etcd's size limit",
            AdmissionOutcome.Patched when !decision.KeepsOriginalImages =>
                "the original images are not stored in annotations: the Pod or its annotations are close to the size limit",
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
