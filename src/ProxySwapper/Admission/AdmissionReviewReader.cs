using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using ProxySwapper.Admission.Json;

namespace ProxySwapper.Admission;

/// <summary>
/// Reads a review in one scan over its bytes: only what the response depends on becomes an object, so that no unknown field can be lost or
/// cause harm.
/// </summary>
internal static class AdmissionReviewReader
{
    /// <summary>Deeper than any Pod, including its managed fields.</summary>
    private const int MaximumDepth = 256;

    /// <summary>In characters; API servers send 36.</summary>
    private const int MaximumUid = 128;

    /// <summary>For larger arrays, the pool would keep the next power of two for every thread.</summary>
    private const int MaximumPooledSize = 1024 * 1024;

    /// <summary>Reads a review; false, with the reason, if it is not a valid review.</summary>
    /// <param name="body">The request's body.</param>
    /// <param name="patchLabelKey">The key of the label that marks a rewritten Pod.</param>
    /// <param name="review">The review.</param>
    /// <param name="fault">Why the body is not a review.</param>
    public static bool TryRead(
        ReadOnlySequence<byte> body,
        string patchLabelKey,
        [NotNullWhen(true)] out AdmissionReview? review,
        [NotNullWhen(false)] out string? fault
    )
    {
        if (body.IsSingleSegment)
            return TryRead(body.FirstSpan, patchLabelKey, out review, out fault);
        // Reading a contiguous body is so much faster that the copy pays off.
        var isPooled = body.Length <= MaximumPooledSize;
        var whole = isPooled ? ArrayPool<byte>.Shared.Rent((int)body.Length) : GC.AllocateUninitializedArray<byte>((int)body.Length);
        try
        {
            body.CopyTo(whole);
            return TryRead(whole.AsSpan(0, (int)body.Length), patchLabelKey, out review, out fault);
        }
        finally
        {
            if (isPooled)
                ArrayPool<byte>.Shared.Return(whole);
        }
    }

    private static bool TryRead(
        ReadOnlySpan<byte> body,
        string patchLabelKey,
        [NotNullWhen(true)] out AdmissionReview? review,
        [NotNullWhen(false)] out string? fault
    )
    {
        review = null;
        try
        {
            var scanner = new JsonScanner(WithoutByteOrderMark(body), MaximumDepth);
            var read = ReadReview(ref scanner, patchLabelKey);
            scanner.End();
            fault = Validate(read);
            if (fault is null)
                review = read;
        }
        catch (JsonException exception)
        {
            fault = $"the body is not valid JSON: {exception.Message}";
        }
        return fault is null;
    }

    private static string? Validate(AdmissionReview review)
    {
        if (review.ApiVersion is not ("admission.k8s.io/v1" or "admission.k8s.io/v1beta1"))
            return "apiVersion must be admission.k8s.io/v1 or admission.k8s.io/v1beta1";
        if (!review.HasRequest)
            return "the review has no request";
        if (review.Uid.Length == 0)
            return "the request has no uid";
        // The response repeats it.
        if (review.Uid.Length > MaximumUid)
            return $"the request's uid has more than {MaximumUid} characters";
        return review.Object is null && review.Operation is "CREATE" or "UPDATE" ? "the request has no object" : null;
    }

    private static AdmissionReview ReadReview(ref JsonScanner scanner, string patchLabelKey)
    {
        var review = new AdmissionReview();
        if (!scanner.EnterObject())
            throw new JsonException("not an object");
        while (scanner.NextMember())
        {
            if (scanner.NameIs("apiVersion"u8))
                review.ApiVersion = scanner.Text() ?? "";
            else if (scanner.NameIs("request"u8))
                ReadRequest(
                    ref scanner,
                    review = review.HasRequest ? new AdmissionReview { ApiVersion = review.ApiVersion } : review,
                    patchLabelKey
                );
            else
                scanner.Skip();
        }
        return review;
    }

    private static void ReadRequest(ref JsonScanner scanner, AdmissionReview review, string patchLabelKey)
    {
        if (!scanner.EnterObject())
            return;
        review.HasRequest = true;
        while (scanner.NextMember())
        {
            if (scanner.NameIs("uid"u8))
                review.Uid = scanner.Text() ?? "";
            else if (scanner.NameIs("kind"u8))
                review.Kind = ReadKind(ref scanner);
            else if (scanner.NameIs("namespace"u8))
                review.Namespace = scanner.Text() ?? "";
            else if (scanner.NameIs("operation"u8))
                review.Operation = scanner.Text() ?? "";
            else if (scanner.NameIs("subResource"u8))
                review.SubResource = scanner.Text() ?? "";
            else if (scanner.NameIs("dryRun"u8))
                review.IsDryRun = scanner.IsTrue();
            else if (scanner.NameIs("object"u8))
                review.Object = PodReader.Read(ref scanner, patchLabelKey);
            else if (scanner.NameIs("oldObject"u8))
                review.OldObject = PodReader.Read(ref scanner, patchLabelKey);
            else
                scanner.Skip();
        }
    }

    /// <summary>The kind's name, with its group unless that is the core group: a custom resource may be called Pod too.</summary>
    private static string ReadKind(ref JsonScanner scanner)
    {
        var (kind, group) = ("", "");
        if (!scanner.EnterObject())
            return kind;
        while (scanner.NextMember())
            if (scanner.NameIs("kind"u8))
                kind = scanner.Text() ?? "";
            else if (scanner.NameIs("group"u8))
                group = scanner.Text() ?? "";
            else
                scanner.Skip();
        return group.Length == 0 ? kind : $"{kind}.{group}";
    }

    /// <summary>A byte order mark, which files may start with (RFC 8259 §8.1 allows ignoring it).</summary>
    private static ReadOnlySpan<byte> WithoutByteOrderMark(ReadOnlySpan<byte> body) =>
        body.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]) ? body[3..] : body;
}
