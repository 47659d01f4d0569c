using System.Collections.Immutable;
using ProxySwapper.Admission;
using ProxySwapper.Configuration;
using ProxySwapper.Population.Cluster;
using ProxySwapper.Population.Downstream;
using ProxySwapper.Population.Queue;
using ProxySwapper.Rules;

namespace ProxySwapper.Population;

/// <summary>
/// Decides at a Pod's creation whether it waits behind the scheduling gate. Does no I/O: images not known to be downstream are waited for,
/// which costs one lookup if they exist.
/// </summary>
internal sealed class PodGating(
    ClusterCapabilities cluster,
    PodWatch watch,
    PopulationQueue queue,
    DownstreamLookup lookup,
    DownstreamHealth health
)
{
    /// <summary>The prefix of Kubernetes' own priority classes.</summary>
    private const string SystemPriority = "system-";

    /// <summary>Adds the gate and its label to the decision if the Pod has to wait.</summary>
    public PodDecision Apply(AdmissionReview review, PodDecision decision, PopulateOptions options)
    {
        if (review.Operation == "UPDATE" && review.Object!.SchedulingGates?.Contains(GateLabels.Gate) == true)
            return HasRoomForGatedImages(review.Object, decision)
                ? WithGatedImages(decision)
                // The annotations would still name the images before, and nobody would wait for the new ones.
                : decision.WithImages([.. decision.Images.Select(image => IsMissing(image) ? LeftUnchanged(image) : image)]);
        if (
            review.Operation != "CREATE"
            || decision.Outcome != AdmissionOutcome.Patched
            || options.Policy != PopulatePolicy.Gate
            || !cluster.HasGates
        )
            return decision;
        var isWaiting = false;
        var isVolumeMissing = false;
        var isHopeless = true;
        foreach (var (image, decided) in decision.Images)
        {
            // Where another source may have the target, it has to be looked at for each Pod.
            if (decided is not { Target: { } target, Populate: true } || lookup.IsKnown(target) && !decided.IsTargetShared)
                continue;
            if (image.Field.IsVolume)
                isVolumeMissing = true;
            else
                isWaiting |= image.Kind is PodImageKind.Container or PodImageKind.InitContainer;
            // If one registry fails, the images of another one are still waited for.
            isHopeless &= health.IsFailing(target.Registry, target.Repository);
        }
        // An image volume is immutable, so its original could not be restored.
        if (isVolumeMissing)
            decision = decision.WithImages([
                .. decision.Images.Select(image => image.PodImage.Field.IsVolume && IsMissing(image) ? LeftUnchanged(image) : image),
            ]);
        if (isVolumeMissing && decision.Outcome != AdmissionOutcome.Patched || !isWaiting || isHopeless)
            return decision;
        if (!MayWait(review, decision, options.Gate))
            return decision;
        return WithGatedImages(decision) with
        {
            SchedulingGate = GateLabels.Gate,
            Labels = decision.Labels.Add(new(GateLabels.Gated, GateLabels.GatedValue)),
        };
    }

    private bool MayWait(AdmissionReview review, PodDecision decision, GateOptions options) =>
        MayWait(review.Object!, decision, options) && watch.IsConnected && queue.HasRoomFor(review.Namespace);

    private static bool MayWait(PodSummary pod, PodDecision decision, GateOptions options) =>
        // An API server rejects a gate together with a node name, which mirror Pods and `kubectl debug node` set.
        pod.NodeName.Length == 0
        && (pod.SchedulerName.Length == 0 || options.Schedulers.Contains(pod.SchedulerName, StringComparer.Ordinal))
        && !pod.PriorityClassName.StartsWith(SystemPriority, StringComparison.Ordinal)
        && (options.Jobs || pod.Controller is not { Kind: "Job" })
        // Without the annotations, the originals could not be restored.
        && decision.KeepsOriginalImages
        && decision.Images.All(image => !image.Decision.IsRewritten || image.CanKeepOriginal)
        && HasRoomForGatedImages(pod, decision);

    /// <summary>Keeps the new images in annotations, so that one that a user changes while the Pod waits is not restored.</summary>
    private static PodDecision WithGatedImages(PodDecision decision) =>
        decision.Outcome != AdmissionOutcome.Patched
            ? decision
            : decision with
            {
                Annotations =
                [
                    .. decision.Annotations,
                    .. decision
                        .Images.Where(image =>
                            image.CanKeepOriginal && image.PodImage.Kind is PodImageKind.Container or PodImageKind.InitContainer
                        )
                        .Select(image =>
                            KeyValuePair.Create(GateLabels.GatedImagePrefix + image.PodImage.Name, image.Decision.Target!.ToString())
                        ),
                ],
            };

    private static bool HasRoomForGatedImages(PodSummary pod, PodDecision decision) =>
        PodSize.BudgetFor(pod, decision.Images.AsSpan(), isGated: true) == PatchBudget.Everything;

    private bool IsMissing(PodImageDecision image) => image.Decision is { Target: { } target, Populate: true } && !lookup.IsKnown(target);

    private static PodImageDecision LeftUnchanged(PodImageDecision image) =>
        image with
        {
            Decision = image.Decision with { Target = null, Reason = DecisionReason.NotDownstream },
        };
}
