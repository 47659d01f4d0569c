using System.Collections.Immutable;
using ProxySwapper.Rules;

namespace ProxySwapper.Admission;

/// <summary>What is answered to a review.</summary>
/// <param name="Outcome">Why it is patched or not.</param>
/// <param name="Images">What the rules say of each image that may be changed, in the order of the Pod.</param>
internal sealed record PodDecision(AdmissionOutcome Outcome, ImmutableArray<PodImageDecision> Images)
{
    public static PodDecision Skipped(AdmissionOutcome outcome) => new(outcome, []);
}

/// <summary>What the rules say of the image at one place.</summary>
internal readonly record struct PodImageDecision(PodImage Slot, ImageDecision Decision)
{
    /// <summary>The Pod asks kubelet to look for a newer image under the tag each time.</summary>
    public bool IsPulledAlways => Slot.PullPolicy == "Always";
}

/// <summary>How a review was answered; the names, in snake_case, are values of a metric's label.</summary>
internal enum AdmissionOutcome
{
    Patched,
    Unchanged,

    /// <summary>
    /// No Pod, an operation or subresource in which images don't change, or an update that does not tell what was before.
    /// </summary>
    NotApplicable,
    OptedOut,
    MirrorPod,

    /// <summary>Metadata, labels or annotations are there and no objects: no patch of ours would be sure to apply.</summary>
    MalformedPod,

    /// <summary>More images than any Pod has: a patch for each would take memory that reviews of others need.</summary>
    TooManyImages,
}
