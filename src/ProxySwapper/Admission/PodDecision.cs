using ProxySwapper.Rules;

namespace ProxySwapper.Admission;

/// <summary>What is answered to a review.</summary>
/// <param name="Outcome">Why it is patched or not.</param>
/// <param name="Images">What the rules say of each image that may be changed, in the order of the Pod.</param>
internal sealed record PodDecision(AdmissionOutcome Outcome, IReadOnlyList<SlotDecision> Images)
{
    public static PodDecision LeftAlone(AdmissionOutcome outcome) => new(outcome, []);
}

/// <summary>What the rules say of the image at one place.</summary>
internal readonly record struct SlotDecision(ImageSlot Slot, ImageDecision Decision);

/// <summary>How a review was answered; the names, in snake_case, are values of a metric's label.</summary>
internal enum AdmissionOutcome
{
    Patched,
    Unchanged,

    /// <summary>No Pod, or an operation or subresource in which images don't change.</summary>
    NotApplicable,
    OptedOut,
    MirrorPod,
    MalformedPod,
}
