using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using ProxySwapper.Admission.Json;
using ProxySwapper.Rules;

namespace ProxySwapper.Admission;

/// <summary>
/// The pipeline of a review, without HTTP and without side effects: (1) <see cref="TryRead"/> the bytes, (2) <see cref="Decide"/> by the
/// rules, (3) <see cref="Write"/> the response.
/// </summary>
/// <param name="rules">The current rules; one review uses the same snapshot throughout.</param>
internal readonly struct AdmissionReviewer(RuleSet rules)
{
    public RuleSet Rules => rules;

    /// <summary>The whole pipeline, from a request body to the response; false, with the reason, if it is not a valid review.</summary>
    public bool TryReview(ReadOnlySequence<byte> body, Utf8JsonBuffer response, [NotNullWhen(false)] out string? error)
    {
        if (!TryRead(body, out var review, out error))
            return false;
        Write(response, review, Settle(Decide(review)));
        return true;
    }

    /// <summary>Reads a review; false, with the reason, if it is not a valid review.</summary>
    public bool TryRead(
        ReadOnlySequence<byte> body,
        [NotNullWhen(true)] out AdmissionReview? review,
        [NotNullWhen(false)] out string? error
    ) => AdmissionReviewReader.TryRead(body, rules.Options.PatchLabel.Key, out review, out error);

    /// <inheritdoc cref="PodEvaluator.Evaluate"/>
    public PodDecision Decide(AdmissionReview review) => PodEvaluator.Evaluate(review, rules);

    /// <summary>The decision to respond with: the given one or, in a dry run, the same without effect.</summary>
    public PodDecision Settle(PodDecision decision) => rules.Options.DryRun ? decision.AsDryRun() : decision;

    /// <summary>Writes the response for a decision.</summary>
    public void Write(Utf8JsonBuffer response, AdmissionReview review, PodDecision decision)
    {
        if (!decision.HasPatch)
        {
            AdmissionResponseWriter.Write(response, review, [], decision);
            return;
        }
        using var patch = new Utf8JsonBuffer();
        new JsonPatchWriter(patch, review.Object!, decision, rules.Options.PatchLabel).Write(
            isSubResource: review.SubResource.Length > 0,
            isCreated: review.Operation == "CREATE"
        );
        AdmissionResponseWriter.Write(response, review, patch.Written, decision);
    }
}
