using ProxySwapper.Rules;

namespace ProxySwapper.Admission;

/// <summary>Decides on the images of a Pod: which may be changed at all, and what the rules make of them.</summary>
internal static class PodAdmission
{
    private const string EphemeralContainers = "ephemeralcontainers";

    public static PodDecision Decide(AdmissionReview review, RuleSet rules)
    {
        if (!IsApplicable(review) || review.Object is not { } pod) return PodDecision.LeftAlone(AdmissionOutcome.NotApplicable);
        if (pod.IsMirror) return PodDecision.LeftAlone(AdmissionOutcome.MirrorPod);
        if (pod.IsOptedOut) return PodDecision.LeftAlone(AdmissionOutcome.OptedOut);
        if (JsonPlace.Malformed == pod.Metadata || JsonPlace.Malformed == pod.Labels || JsonPlace.Malformed == pod.Annotations)
            return PodDecision.LeftAlone(AdmissionOutcome.MalformedPod);
        var decisions = new List<SlotDecision>(pod.Images.Count);
        foreach (var slot in pod.Images)
            if (MayChange(slot, review)) decisions.Add(new SlotDecision(slot, rules.Rewrite(slot.Image, review.Namespace)));
        return new PodDecision(OutcomeOf(decisions), decisions);
    }

    public static AdmissionOutcome OutcomeOf(IReadOnlyList<SlotDecision> decisions)
    {
        foreach (var decision in decisions)
            if (decision.Decision.IsRewritten) return AdmissionOutcome.Patched;
        return AdmissionOutcome.Unchanged;
    }

    private static bool IsApplicable(AdmissionReview review) => (review.Kind, review.Operation, review.SubResource) switch
    {
        ("Pod", "CREATE" or "UPDATE", "") => true,
        ("Pod" or "EphemeralContainers", "UPDATE", EphemeralContainers) => true,
        _ => false,
    };

    /// <summary>
    /// Through their subresource only ephemeral containers change, and nowhere else. On an update an image that the user did not touch
    /// stays: any other would restart a running container.
    /// </summary>
    private static bool MayChange(ImageSlot slot, AdmissionReview review)
    {
        var isEphemeral = slot.Kind is ImageSlotKind.EphemeralContainer or ImageSlotKind.BareEphemeralContainer;
        if (review.SubResource == EphemeralContainers ? !isEphemeral : slot.Kind == ImageSlotKind.BareEphemeralContainer) return false;
        if (review.Operation == "CREATE") return true;
        foreach (var old in review.OldObject?.Images ?? [])
            if (old.Kind == slot.Kind && old.Name == slot.Name && old.Image == slot.Image) return false;
        return true;
    }
}
