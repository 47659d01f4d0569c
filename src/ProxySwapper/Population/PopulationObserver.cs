using System.Collections.Immutable;
using System.Diagnostics;
using ProxySwapper.Admission;
using ProxySwapper.Configuration;
using ProxySwapper.Kubernetes;
using ProxySwapper.Patterns;
using ProxySwapper.Population.Cluster;
using ProxySwapper.Population.Downstream;
using ProxySwapper.Population.Queue;
using ProxySwapper.Population.Work;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Timing;
using ProxySwapper.Rules;

namespace ProxySwapper.Population;

/// <summary>
/// The part of population that runs during admission: labels Pods so that the watch finds them, gates them if configured, and waits for
/// images if a policy requires it. A review alone never triggers a copy, since anyone could post one, except with <c>immediate</c> or
/// without an API server; then only our own credentials are used.
/// </summary>
internal sealed class PopulationObserver(
    ConfigurationMonitor rules,
    KubernetesAccess kubernetes,
    CurrentPlanner planner,
    PodGating gating,
    RecreationGuard recreations,
    FailureEvents events,
    PopulationQueue queue,
    DownstreamLookup lookup,
    DownstreamHealth health,
    PopulationMetrics metrics,
    TimeProvider time
) : IAdmissionObserver
{
    public bool DelaysResponse => IsAwaited(rules.Current.Options) || health.IsFallingBack;

    public async ValueTask<PodDecision> BeforeResponseAsync(AdmittedPod pod, PodDecision decision, CancellationToken cancellationToken)
    {
        var options = rules.Current.Options;
        using var timeout = new OperationTimeout(options.Populate.Deadline, time, cancellationToken);
        // All images of a Pod in parallel: they share one timeout.
        var images = await Task.WhenAll(pod.Images.Select(image => DecideAsync(pod, image, options, timeout.Token)));
        return decision.WithImages([.. decision.Images.Select((image, index) => image with { Decision = images[index] })]);
    }

    public PodDecision Mark(AdmissionReview review, AdmittedPod pod, PodDecision decision)
    {
        if (review.SubResource.Length > 0 || rules.Current.Options.DryRun)
            return decision;
        if (decision.Outcome == AdmissionOutcome.Patched && recreations.Created(review, out var isNew))
        {
            if (isNew)
                ReportRecreated(review);
            return LeftUnchanged(decision);
        }
        decision = gating.Apply(review, decision);
        if (rules.Current.Options.Populate.Policy == PopulatePolicy.None)
            return decision;
        if (decision.Outcome != AdmissionOutcome.Patched && IsWanted(decision.Images))
            decision = decision with { Labels = decision.Labels.Add(new(GateLabels.Populate, GateLabels.PopulateValue)) };
        if (decision.HasPatch && pod.Activity.TraceFlags.HasFlag(ActivityTraceFlags.Recorded))
            decision = decision with
            {
                Annotations = decision.Annotations.Add(new(GateLabels.Trace, $"00-{pod.Activity.TraceId}-{pod.Activity.SpanId}-01")),
            };
        return decision;
    }

    public void AfterResponse(AdmittedPod pod)
    {
        foreach (var image in pod.Images)
            if (Downstream(image.Decision) is { } target)
                health.Watch(target.Registry);
        // With an API server, the watch will see the Pod. What was awaited has already been queued.
        if (kubernetes.Client is not null || IsAwaited(rules.Current.Options))
            return;
        foreach (var image in pod.Images)
            Enqueue(pod, image);
    }

    private static PodDecision LeftUnchanged(PodDecision decision) =>
        decision with
        {
            Outcome = AdmissionOutcome.RecreatedTooOften,
            Images =
            [
                .. decision.Images.Select(image =>
                    image.Decision.IsRewritten
                        ? image with
                        {
                            Decision = image.Decision with
                            {
                                Target = null,
                                Reason = DecisionReason.RecreatedTooOften,
                                Warning =
                                    $"image '{Truncation.Shorten(image.Decision.Image, Truncation.MaximumShownLength)}' is left unchanged "
                                    + "for an hour: the Pod's controller created this Pod 3 times within 10 minutes",
                            },
                        }
                        : image
                ),
            ],
        };

    /// <summary>Reported in an Event of our own Pod: a forged review must not create Events in other namespaces.</summary>
    private void ReportRecreated(AdmissionReview review)
    {
        if (kubernetes.Client is not { } client)
            return;
        var controller = review.Object!.Controller!;
        events.Write(
            $"recreated {controller.Uid}",
            new EventSubject("v1", "Pod", client.Namespace, kubernetes.PodName, null),
            "PodRecreatedTooOften",
            $"{controller.Kind} ({controller.ApiVersion}) of namespace {review.Namespace} created Pod {review.PodName} 3 times within "
                + "10 minutes with the same images; its images are left unchanged for an hour. "
                + "Add the kind to ignoreOwners if it does not tolerate changed images."
        );
    }

    private async Task<ImageDecision> DecideAsync(
        AdmittedPod pod,
        PodImageDecision image,
        ProxySwapperOptions options,
        CancellationToken deadline
    )
    {
        var decision = image.Decision;
        if (Downstream(decision) is { } downstream)
        {
            health.Watch(downstream.Registry);
            if (health.FailureOf(downstream.Registry, downstream.Repository) is { } failure)
                return LetThrough(decision, failure);
        }
        var isImmediate = options.Populate.Policy == PopulatePolicy.Immediate;
        if (options.SwapPolicy != SwapPolicy.Exists || decision.Target is not { } target || !decision.Populate)
        {
            if (isImmediate)
                await BringAsync(pod, image, deadline);
            return decision;
        }
        var presence = await lookup.FindAsync(target, deadline);
        if (presence != ImagePresence.Present && isImmediate && await BringAsync(pod, image, deadline))
            return decision;
        if (presence == ImagePresence.Unknown)
            health.Suspect(target.Registry);
        // A missing image is copied for the next time; an existing one may need a recheck.
        if (kubernetes.Client is null)
            Enqueue(pod, image);
        return presence switch
        {
            ImagePresence.Present => decision,
            ImagePresence.Missing => decision with { Target = null, Reason = DecisionReason.NotDownstream },
            _ => LetThrough(decision, $"checking {target} at {target.Registry} timed out"),
        };
    }

    /// <summary>What the image was rewritten to and we populate, or null.</summary>
    private static ImageReference? Downstream(ImageDecision decision) => decision.Populate ? decision.Target : null;

    private static ImageDecision LetThrough(ImageDecision decision, string reason) =>
        decision with
        {
            Target = null,
            Reason = DecisionReason.DownstreamFailing,
            Warning = $"image '{Truncation.Shorten(decision.Image, Truncation.MaximumShownLength)}' is left unchanged: {reason}",
        };

    private static bool IsAwaited(ProxySwapperOptions options) =>
        options is { SwapPolicy: SwapPolicy.Exists } or { Populate.Policy: PopulatePolicy.Immediate };

    /// <summary>Whether unchanged images must be copied anyway.</summary>
    private bool IsWanted(ImmutableArray<PodImageDecision> images)
    {
        foreach (var image in images)
            if (
                image.Decision.Reason == DecisionReason.NotDownstream
                || planner.Value.WorkFor(image.Decision) is { } work && !queue.Known.IsKnown(work.Key)
            )
                return true;
        return false;
    }

    /// <summary>Waits for an image until the timeout; true if it is downstream. The copy continues in any case.</summary>
    private async Task<bool> BringAsync(AdmittedPod pod, PodImageDecision image, CancellationToken deadline)
    {
        if (pod.IsDryRun || Enqueue(pod, image) is not { } job)
            return false;
        using (queue.Prioritize(job))
        {
            await ((Task)job.Completion).WaitAsync(deadline).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return job.Completion is { IsCompletedSuccessfully: true, Result: true };
        }
    }

    private PopulationJob? Enqueue(AdmittedPod pod, PodImageDecision image)
    {
        if (
            pod.IsDryRun
            || rules.Current.Options is { DryRun: true } or { Populate.Policy: PopulatePolicy.None }
            || planner.Value.WorkFor(image.Decision) is not { } work
        )
            return null;
        var origin = new PodOrigin(pod.Namespace, pod.Name, pod.ServiceAccountName, [], pod.Activity);
        var result = queue.TryEnqueue(work, origin, image.IsPulledAlways);
        if (result.IsFull)
            metrics.Dropped();
        return result.Job;
    }
}
