using System.Collections.Immutable;
using ProxySwapper.Rules;

namespace ProxySwapper.Admission;

/// <summary>What is answered to a review.</summary>
/// <param name="Outcome">Why images are rewritten or not.</param>
/// <param name="Images">What the rules say of each image that may be changed, in the order of the Pod.</param>
internal sealed record PodDecision(AdmissionOutcome Outcome, ImmutableArray<PodImageDecision> Images)
{
    /// <summary>Whether there is room for annotations that keep rewritten images as they were written.</summary>
    public bool KeepsOriginalImages { get; init; } = true;

    /// <summary>Labels to set, besides the one that marks a rewritten Pod.</summary>
    public ImmutableArray<KeyValuePair<string, string>> Labels { get; init; } = [];

    /// <summary>Annotations to set, besides those that keep the original images.</summary>
    public ImmutableArray<KeyValuePair<string, string>> Annotations { get; init; } = [];

    /// <summary>A gate to add to <c>spec.schedulingGates</c>, or null. API servers take one only when a Pod is created.</summary>
    public string? SchedulingGate { get; init; }

    /// <summary>Whether there is anything to patch.</summary>
    public bool HasPatch => Outcome == AdmissionOutcome.Patched || !Labels.IsEmpty || !Annotations.IsEmpty || SchedulingGate is not null;

    public static PodDecision Skipped(AdmissionOutcome outcome) => new(outcome, []);

    /// <summary>The same without any effect: what would be rewritten is named, and nothing is patched.</summary>
    public PodDecision AsDryRun() =>
        new(
            Outcome == AdmissionOutcome.Patched ? AdmissionOutcome.DryRun : Outcome,
            [
                .. Images.Select(image =>
                    image.Decision.IsRewritten ? image with { Decision = image.Decision with { Reason = DecisionReason.DryRun } } : image
                ),
            ]
        );

    /// <summary>The same with other decisions on its images.</summary>
    public PodDecision WithImages(ImmutableArray<PodImageDecision> images) => this with { Outcome = OutcomeOf(images), Images = images };

    /// <summary>Whether decisions rewrite any image.</summary>
    public static AdmissionOutcome OutcomeOf(ImmutableArray<PodImageDecision> images)
    {
        foreach (var image in images)
            if (image.Decision.IsRewritten)
                return AdmissionOutcome.Patched;
        return AdmissionOutcome.Unchanged;
    }
}

/// <summary>What the rules say of one image of a Pod.</summary>
internal readonly record struct PodImageDecision(PodImage Place, ImageDecision Decision)
{
    /// <summary>The Pod asks kubelet to look for a newer image under the tag each time.</summary>
    public bool IsPulledAlways => Place.PullPolicy == "Always";

    /// <summary>The image is rewritten, and an annotation can keep what was written.</summary>
    public bool CanKeepOriginal => Decision.IsRewritten && Place.CanBeKept;
}

/// <summary>How a review was answered; the names, in snake_case, are values of a metric's label.</summary>
internal enum AdmissionOutcome
{
    Patched,
    Unchanged,

    /// <summary>
    /// Not a Pod, an operation or subresource that does not change images, or an update that does not say what was there before.
    /// </summary>
    NotApplicable,
    OptedOut,
    MirrorPod,

    /// <summary>The Pod's controller is one of <c>ignoreOwners</c>.</summary>
    IgnoredOwner,

    /// <summary>Its controller made the Pod again and again: it does not bear a changed image.</summary>
    RecreatedTooOften,

    /// <summary>An update that lifts our scheduling gate, or of a Pod whose original images were put back.</summary>
    GateLifted,

    /// <summary>Metadata, labels or annotations are there and not objects: no patch would be sure to apply.</summary>
    MalformedPod,

    /// <summary>More images than any Pod has: a patch for each would take memory that other reviews need.</summary>
    TooManyImages,

    /// <summary>With other images the Pod would be larger than etcd stores.</summary>
    PodTooLarge,

    /// <summary>It would be patched, but for <c>dryRun</c>.</summary>
    DryRun,
}
