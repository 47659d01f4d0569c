using System.Runtime.InteropServices;
using ProxySwapper.Rules;

namespace ProxySwapper.Admission;

/// <summary>Decides on the images of a Pod: which ones may be changed, and what the rules rewrite them to.</summary>
internal static class PodEvaluator
{
    private const string EphemeralContainers = "ephemeralcontainers";

    /// <summary>The decision on a review.</summary>
    public static PodDecision Evaluate(AdmissionReview review, RuleSet rules)
    {
        if (!IsApplicable(review) || review.Object is not { } pod)
            return PodDecision.Skipped(AdmissionOutcome.NotApplicable);
        if (pod.IsMirror)
            return PodDecision.Skipped(AdmissionOutcome.MirrorPod);
        if (pod.IsOptedOut)
            return PodDecision.Skipped(AdmissionOutcome.OptedOut);
        if (pod.Controller is { } controller && rules.IgnoresOwner(controller.Group, controller.Kind))
            return PodDecision.Skipped(AdmissionOutcome.IgnoredOwner);
        if (IsReleased(review, pod))
            return PodDecision.Skipped(AdmissionOutcome.GateLifted);
        if (JsonNodeState.Malformed == pod.Metadata || JsonNodeState.Malformed == pod.Labels || JsonNodeState.Malformed == pod.Annotations)
            return PodDecision.Skipped(AdmissionOutcome.MalformedPod);
        if (pod.HasTooManyImages || review.OldObject is { HasTooManyImages: true })
            return PodDecision.Skipped(AdmissionOutcome.TooManyImages);
        var (decided, count) = (new PodImageDecision[pod.Images.Count], 0);
        var untouched = review.Operation == "CREATE" ? null : review.OldObject?.Images.Select(IdentityOf).ToHashSet();
        foreach (var image in pod.Images)
            if (MayChange(image, review.SubResource) && untouched?.Contains(IdentityOf(image)) != true)
                decided[count++] = new PodImageDecision(image, rules.Evaluate(image.Image, review.Namespace));
        if (count < decided.Length)
            Array.Resize(ref decided, count);
        var images = ImmutableCollectionsMarshal.AsImmutableArray(decided);
        // The subresource cannot add annotations.
        var room = PodSize.BudgetFor(pod, images.AsSpan());
        return room == PatchBudget.None && PodDecision.OutcomeOf(images) == AdmissionOutcome.Patched
            ? PodDecision.Skipped(AdmissionOutcome.PodTooLarge)
            : new PodDecision(PodDecision.OutcomeOf(images), images)
            {
                KeepsOriginalImages = room == PatchBudget.Everything || review.SubResource.Length > 0,
            };
    }

    private static bool IsApplicable(AdmissionReview review) =>
        (review.Kind, review.Operation, review.SubResource) switch
        {
            ("Pod", "CREATE", "") => true,
            ("Pod", "UPDATE", "") => review.OldObject is not null,
            ("Pod" or "EphemeralContainers", "UPDATE", EphemeralContainers) => review.OldObject is not null,
            _ => false,
        };

    /// <summary>
    /// A Pod whose gate this update removes, whoever sends it, or that was released with its original images before: restored images must
    /// not be rewritten again.
    /// </summary>
    private static bool IsReleased(AdmissionReview review, PodSummary pod) =>
        review is { Operation: "UPDATE", SubResource: "" } && (pod.IsLeftOriginal || HasGate(review.OldObject) && !HasGate(pod));

    private static bool HasGate(PodSummary? pod) => pod?.SchedulingGates?.Contains(GateLabels.Gate) == true;

    /// <summary>The subresource only changes ephemeral containers.</summary>
    private static bool MayChange(PodImage image, string subResource) =>
        subResource == EphemeralContainers
            ? image.Kind is PodImageKind.EphemeralContainer or PodImageKind.BareEphemeralContainer
            : image.Kind != PodImageKind.BareEphemeralContainer;

    /// <summary>
    /// What makes an image of an update the one that was there before, wherever in its list: the user did not touch it, and another one
    /// would restart a running container.
    /// </summary>
    private static (PodImageKind Kind, string Name, string Image) IdentityOf(PodImage image) => (image.Kind, image.Name, image.Image);
}
