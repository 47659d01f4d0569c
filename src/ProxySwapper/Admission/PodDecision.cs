using System.Collections.Immutable;
using ProxySwapper.Rules;

namespace ProxySwapper.Admission;

/// <summary>The decision on a review.</summary>
/// <param name="Outcome">Why images are rewritten or not.</param>
/// <param name="Images">The rules' decision on each image that may be changed, in the order of the Pod.</param>
internal sealed record PodDecision(AdmissionOutcome Outcome, ImmutableArray<PodImageDecision> Images)
{
    /// <summary>Whether there is room for annotations with the original images.</summary>
    public bool KeepsOriginalImages { get; init; } = true;

    /// <summary>Labels to set, besides the one that marks a rewritten Pod.</summary>
    public ImmutableArray<KeyValuePair<string, string>> Labels { get; init; } = [];

    /// <summary>Annotations to set, besides those that keep the original images.</summary>
    public ImmutableArray<KeyValuePair<string, string>> Annotations { get; init; } = [];

    /// <summary>A gate to add to <c>spec.schedulingGates</c>, or null. API servers only accept one when a Pod is created.</summary>
    public string? SchedulingGate { get; init; }

    /// <summary>Whether <c>dryRun</c> is on, so that the decision has no effect.</summary>
    public bool IsDryRun { get; init; }

    /// <summary>Whether there is anything to patch.</summary>
    public bool HasPatch => Outcome == AdmissionOutcome.Patched || !Labels.IsEmpty || !Annotations.IsEmpty || SchedulingGate is not null;

    public static PodDecision Skipped(AdmissionOutcome outcome) => new(outcome, []);

    /// <summary>The same without effect: nothing is patched, and the response to a dry run says what would be rewritten.</summary>
    public PodDecision AsDryRun() =>
        new(
            Outcome == AdmissionOutcome.Patched ? AdmissionOutcome.DryRun : Outcome,
            [
                .. Images.Select(image =>
                    image.Decision.IsRewritten ? image with { Decision = image.Decision with { Reason = DecisionReason.DryRun } } : image
                ),
            ]
        )
        {
            IsDryRun = true,
        };

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

/// <summary>The rules' decision on one image of a Pod.</summary>
internal readonly record struct PodImageDecision(PodImage PodImage, ImageDecision Decision)
{
    /// <summary>The Pod makes kubelet check for a newer image under the tag each time.</summary>
    public bool IsPulledAlways => PodImage.PullPolicy == "Always";

    /// <summary>The image is rewritten, and an annotation can keep the original.</summary>
    public bool CanKeepOriginal => Decision.IsRewritten && PodImage.CanBeKept;
}

/// <summary>The outcome of a review; the names, in snake_case, are values of a metric's label.</summary>
internal enum AdmissionOutcome
{
    Patched,
    Unchanged,

    /// <summary>
    /// Not a Pod, an operation or subresource that does not change images, or an update without the old object.
    /// </summary>
    NotApplicable,
    OptedOut,
    MirrorPod,

    /// <summary>The Pod's controller is one of <c>ignoreOwners</c>.</summary>
    IgnoredOwner,

    /// <summary>Its controller keeps recreating the Pod, since it does not accept changed images.</summary>
    RecreatedTooOften,

    /// <summary>An update that lifts our scheduling gate, or of a Pod whose original images were restored.</summary>
    GateLifted,

    /// <summary>Metadata, labels or annotations are not objects, so no patch is certain to apply.</summary>
    MalformedPod,

    /// <summary>Too many images: a patch for each would take memory that other reviews need.</summary>
    TooManyImages,

    /// <summary>With the new images, the Pod would be too large for etcd.</summary>
    PodTooLarge,

    /// <summary>It would be patched without <c>dryRun</c>.</summary>
    DryRun,
}
