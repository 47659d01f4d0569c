using System.Collections.Immutable;
using System.Runtime.InteropServices;
using ProxySwapper.Rules;

namespace ProxySwapper.Admission;

/// <summary>Decides on the images of a Pod: which may be changed at all, and what the rules make of them.</summary>
internal static class PodAdmission
{
    private const string EphemeralContainers = "ephemeralcontainers";

    public static PodDecision Decide(AdmissionReview review, RuleSet rules)
    {
        if (!IsApplicable(review) || review.Object is not { } pod)
            return PodDecision.Skipped(AdmissionOutcome.NotApplicable);
        if (pod.IsMirror)
            return PodDecision.Skipped(AdmissionOutcome.MirrorPod);
        if (pod.IsOptedOut)
            return PodDecision.Skipped(AdmissionOutcome.OptedOut);
        if (JsonNodeState.Malformed == pod.Metadata || JsonNodeState.Malformed == pod.Labels || JsonNodeState.Malformed == pod.Annotations)
            return PodDecision.Skipped(AdmissionOutcome.MalformedPod);
        if (pod.HasTooManyImages || review.OldObject is { HasTooManyImages: true })
            return PodDecision.Skipped(AdmissionOutcome.TooManyImages);
        var (decided, count) = (new PodImageDecision[pod.Images.Count], 0);
        var untouched = review.Operation == "CREATE" ? null : review.OldObject?.Images.Select(IdentityOf).ToHashSet();
        foreach (var slot in pod.Images)
            if (MayChange(slot, review.SubResource) && untouched?.Contains(IdentityOf(slot)) != true)
                decided[count++] = new PodImageDecision(slot, rules.Evaluate(slot.Image, review.Namespace));
        if (count < decided.Length)
            Array.Resize(ref decided, count);
        var decisions = ImmutableCollectionsMarshal.AsImmutableArray(decided);
        return new PodDecision(OutcomeOf(decisions), decisions);
    }

    public static AdmissionOutcome OutcomeOf(ImmutableArray<PodImageDecision> decisions)
    {
        foreach (var decision in decisions)
            if (decision.Decision.IsRewritten)
                return AdmissionOutcome.Patched;
        return AdmissionOutcome.Unchanged;
    }

    private static bool IsApplicable(AdmissionReview review) =>
        (review.Kind, review.Operation, review.SubResource) switch
        {
            ("Pod", "CREATE", "") => true,
            ("Pod", "UPDATE", "") => review.OldObject is not null,
            ("Pod" or "EphemeralContainers", "UPDATE", EphemeralContainers) => review.OldObject is not null,
            _ => false,
        };

    /// <summary>Through their subresource only ephemeral containers change.</summary>
    private static bool MayChange(PodImage slot, string subResource) =>
        subResource == EphemeralContainers
            ? slot.Kind is PodImageKind.EphemeralContainer or PodImageKind.BareEphemeralContainer
            : slot.Kind != PodImageKind.BareEphemeralContainer;

    /// <summary>
    /// What makes an image of an update the one that was there before, wherever in its list: the user did not touch it, and any other
    /// would restart a running container.
    /// </summary>
    private static (PodImageKind Kind, string Name, string Image) IdentityOf(PodImage slot) => (slot.Kind, slot.Name, slot.Image);
}
