using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace ProxySwapper.Admission;

/// <summary>
/// Reads a review by one scan over its bytes: only what the answer depends on becomes an object, so that no field that we do not know
/// can be lost or break us.
/// </summary>
internal static class AdmissionReviewReader
{
    /// <summary>Deeper than any Pod with its managed fields; what is deeper is no review.</summary>
    private const int MaximumDepth = 256;

    private static readonly JsonReaderOptions Options = new() { MaxDepth = MaximumDepth };

    /// <summary>Reads a review; false, with the reason, when the bytes are none that can be answered.</summary>
    /// <param name="body">The request's body.</param>
    /// <param name="patchLabelKey">The key of the label that marks a rewritten Pod.</param>
    /// <param name="review">The review.</param>
    /// <param name="fault">Why there is none.</param>
    public static bool TryRead(
        ReadOnlySequence<byte> body, string patchLabelKey, [NotNullWhen(true)] out AdmissionReview? review, [NotNullWhen(false)] out string? fault)
    {
        review = null;
        try
        {
            var reader = new Utf8JsonReader(WithoutByteOrderMark(body), Options);
            var read = ReadReview(ref reader, patchLabelKey);
            if (reader.Read()) throw new JsonException("there is something behind the review");
            fault = FaultOf(read);
            if (fault is null) review = read;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: a string that is no UTF-8 or has half a surrogate pair.
            fault = $"the body is no JSON: {exception.Message}";
        }
        return fault is null;
    }

    private static string? FaultOf(AdmissionReview review)
    {
        if (review.ApiVersion is not ("admission.k8s.io/v1" or "admission.k8s.io/v1beta1")) return "apiVersion must be admission.k8s.io/v1 or admission.k8s.io/v1beta1";
        if (!review.HasRequest) return "the review has no request";
        if (review.Uid.Length == 0) return "the request has no uid";
        return review.Object is null && review.Operation is "CREATE" or "UPDATE" ? "the request has no object" : null;
    }

    private static AdmissionReview ReadReview(ref Utf8JsonReader reader, string patchLabelKey)
    {
        var review = new AdmissionReview();
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject) throw new JsonException("it is no object");
        while (NextMember(ref reader))
        {
            if (reader.ValueTextEquals("apiVersion"u8)) review.ApiVersion = Text(ref reader);
            else if (reader.ValueTextEquals("request"u8)) ReadRequest(ref reader, review = new AdmissionReview { ApiVersion = review.ApiVersion }, patchLabelKey);
            else SkipMember(ref reader);
        }
        return review;
    }

    private static void ReadRequest(ref Utf8JsonReader reader, AdmissionReview review, string patchLabelKey)
    {
        if (!EnterObject(ref reader)) return;
        review.HasRequest = true;
        while (NextMember(ref reader))
        {
            if (reader.ValueTextEquals("uid"u8)) review.Uid = Text(ref reader);
            else if (reader.ValueTextEquals("kind"u8)) review.Kind = ReadKind(ref reader);
            else if (reader.ValueTextEquals("namespace"u8)) review.Namespace = Text(ref reader);
            else if (reader.ValueTextEquals("operation"u8)) review.Operation = Text(ref reader);
            else if (reader.ValueTextEquals("subResource"u8)) review.SubResource = Text(ref reader);
            else if (reader.ValueTextEquals("dryRun"u8)) review.IsDryRun = IsTrue(ref reader);
            else if (reader.ValueTextEquals("object"u8)) review.Object = PodReader.Read(ref reader, patchLabelKey);
            else if (reader.ValueTextEquals("oldObject"u8)) review.OldObject = PodReader.Read(ref reader, patchLabelKey);
            else SkipMember(ref reader);
        }
    }

    /// <summary>The kind's name, with its group where that is not the core's: a custom resource may be called Pod too.</summary>
    private static string ReadKind(ref Utf8JsonReader reader)
    {
        var (kind, group) = ("", "");
        if (!EnterObject(ref reader)) return kind;
        while (NextMember(ref reader))
            if (reader.ValueTextEquals("kind"u8)) kind = Text(ref reader);
            else if (reader.ValueTextEquals("group"u8)) group = Text(ref reader);
            else SkipMember(ref reader);
        return group.Length == 0 ? kind : $"{kind}.{group}";
    }

    /// <summary>Files that a person posts may begin with one; JSON's reader takes it for a fault (RFC 8259 §8.1 allows to pass over it).</summary>
    private static ReadOnlySequence<byte> WithoutByteOrderMark(ReadOnlySequence<byte> body)
    {
        var start = new SequenceReader<byte>(body);
        start.IsNext([0xEF, 0xBB, 0xBF], advancePast: true);
        return start.UnreadSequence;
    }

    /// <summary>Stands on the name of an object's next member; false at its end.</summary>
    internal static bool NextMember(ref Utf8JsonReader reader) => reader.Read() && reader.TokenType == JsonTokenType.PropertyName;

    /// <summary>From a member's name into its value where that is an object; passes over any other value.</summary>
    internal static bool EnterObject(ref Utf8JsonReader reader) => Enter(ref reader, JsonTokenType.StartObject);

    /// <summary>From a member's name into its value where that is an array; passes over any other value.</summary>
    internal static bool EnterArray(ref Utf8JsonReader reader) => Enter(ref reader, JsonTokenType.StartArray);

    /// <summary>A member's text; empty, and passed over, when it is something else.</summary>
    internal static string Text(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.String) return reader.GetString()!;
        reader.Skip();
        return "";
    }

    internal static bool IsTrue(ref Utf8JsonReader reader)
    {
        reader.Read();
        var value = reader.TokenType == JsonTokenType.True;
        reader.Skip();
        return value;
    }

    /// <summary>From a member's name to the end of its value.</summary>
    internal static void SkipMember(ref Utf8JsonReader reader)
    {
        reader.Read();
        reader.Skip();
    }

    private static bool Enter(ref Utf8JsonReader reader, JsonTokenType start)
    {
        reader.Read();
        if (reader.TokenType == start) return true;
        reader.Skip();
        return false;
    }
}
