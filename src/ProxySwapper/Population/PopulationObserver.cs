using System.Collections.Concurrent;
using System.Diagnostics;
using ProxySwapper.Admission;
using ProxySwapper.Configuration;
using ProxySwapper.Patterns;
using ProxySwapper.Population.Cluster;
using ProxySwapper.Population.Downstream;
using ProxySwapper.Registry;
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
    PodGating gating,
    RecreatedPods recreated,
    AdmissionCopies copies,
    EphemeralImages ephemeral,
    DownstreamLookup lookup,
    AdmissionLookups lookups,
    WaitingReviews reviews,
    DownstreamHealth health
) : IAdmissionObserver
{
    public bool DelaysResponse(AdmittedPod pod) => IsAwaited(pod.Rules.Options) || health.IsFallingBack;

    public async ValueTask<PodDecision> BeforeResponseAsync(AdmittedPod pod, PodDecision decision, CancellationToken cancellationToken)
    {
        var options = pod.Rules.Options;
        var images = new Task<ImageDecision>[pod.Images.Length];
        var (awaited, unseen) = (new List<int>(), new List<(int Index, ImageReference Target)>());
        foreach (var (index, image) in pod.Images.Index())
        {
            images[index] = Task.FromResult(image.Decision);
            if (LetThroughIfFailing(pod, image.Decision) is { } unchanged)
                images[index] = Task.FromResult(unchanged);
            else if (options.SwapPolicy == SwapPolicy.Exists && Downstream(image.Decision) is { } target)
                if (lookup.WasSeen(target))
                    EnqueueWithoutWatch(pod, image);
                else
                    unseen.Add((index, target));
            else if (options.Populate.Policy == PopulatePolicy.Immediate)
                awaited.Add(index);
        }
        using var review = awaited.Count + unseen.Count > 0 ? reviews.Enter(pod, options.Populate.Deadline, cancellationToken) : null;
        if (review is not null)
        {
            // All images of a Pod in parallel: they share one timeout.
            foreach (var index in awaited)
                images[index] = AwaitAsync(pod, pod.Images[index], review.Token);
            await LookUpAsync(pod, options, unseen, images, review);
        }
        var decisions = await Task.WhenAll(images);
        return decision.WithImages([.. decision.Images.Select((image, index) => image with { Decision = decisions[index] })]);
    }

    public PodDecision Mark(AdmissionReview review, AdmittedPod pod, PodDecision decision)
    {
        var options = pod.Rules.Options;
        if (review.SubResource.Length > 0 || options.DryRun)
            return decision;
        if (recreated.Find(review, decision) is { } unchanged)
            return unchanged;
        decision = gating.Apply(review, decision, options.Populate);
        if (options.Populate.Policy == PopulatePolicy.None)
            return decision;
        if (decision.Outcome != AdmissionOutcome.Patched && copies.AreWanted(decision.Images, pod.Rules))
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
                Watch(pod, target);
        ephemeral.Admitted(pod);
        // With an API server, the watch will see the Pod. What was awaited has already been queued.
        if (kubernetes.Client is not null || IsAwaited(pod.Rules.Options))
            return;
        foreach (var image in pod.Images)
            copies.Enqueue(pod, image);
    }

    /// <summary>Starts the decisions of images after their lookups: a few at a time, since one review may name hundreds.</summary>
    private Task LookUpAsync(
        AdmittedPod pod,
        ProxySwapperOptions options,
        List<(int Index, ImageReference Target)> unseen,
        Task<ImageDecision>[] decisions,
        WaitingReview review
    )
    {
        return Task.WhenAll(unseen.GroupBy(image => image.Target.Registry).Select(LookUpRegistryAsync));

        // Each by itself: one that hangs holds up no image of another.
        Task LookUpRegistryAsync(IEnumerable<(int Index, ImageReference Target)> images)
        {
            var targets = new ConcurrentQueue<IGrouping<string, (int Index, ImageReference Target)>>(
                images.GroupBy(image => image.Target.ToString())
            );
            return Task.WhenAll(
                Enumerable.Range(0, Math.Min(targets.Count, LookupLimiter.MaximumOfNamespace)).Select(_ => WorkAsync(targets))
            );
        }

        async Task WorkAsync(ConcurrentQueue<IGrouping<string, (int Index, ImageReference Target)>> targets)
        {
            while (targets.TryDequeue(out var same))
            {
                var presence = await lookups.FindAsync(pod.Namespace, same.First().Target, review.Token);
                foreach (var (index, _) in same)
                    decisions[index] = DecideAsync(pod, pod.Images[index], options, presence, review);
            }
        }
    }

    private async Task<ImageDecision> AwaitAsync(AdmittedPod pod, PodImageDecision image, CancellationToken deadline)
    {
        await copies.AwaitAsync(pod, image, deadline);
        return image.Decision;
    }

    /// <summary>The decision of <c>swapPolicy: exists</c> on an image that was not seen before.</summary>
    private async Task<ImageDecision> DecideAsync(
        AdmittedPod pod,
        PodImageDecision image,
        ProxySwapperOptions options,
        ImagePresence? presence,
        WaitingReview review
    )
    {
        var (decision, target) = (image.Decision, image.Decision.Target!);
        var isImmediate = options.Populate.Policy == PopulatePolicy.Immediate;
        // A client that is gone, or a review that made room, says nothing about the registry.
        var hasFailed = presence == ImagePresence.Unknown && (review.HasTimedOut || !review.Token.IsCancellationRequested);
        if (presence != ImagePresence.Present && isImmediate && await copies.AwaitAsync(pod, image, review.Token))
            return decision;
        if (hasFailed)
            health.ReportFailure(target.Registry);
        EnqueueWithoutWatch(pod, image);
        return presence switch
        {
            ImagePresence.Present => decision,
            ImagePresence.Missing => decision with { Target = null, Reason = DecisionReason.NotDownstream },
            _ when review.IsDisplaced => LetThrough(
                decision,
                $"{target} was not checked: too many images wait to be checked, and its namespace has the most of them"
            ),
            ImagePresence.Unknown => LetThrough(decision, $"checking {target} at {target.Registry} timed out"),
            _ => LetThrough(
                decision,
                $"{target} was not checked in time: too many other images of its namespace, or of namespaces without a known Pod, are "
                    + "being checked"
            ),
        };
    }

    /// <summary>Without an API server, a missing image is copied for the next time; an existing one may need a recheck.</summary>
    private void EnqueueWithoutWatch(AdmittedPod pod, PodImageDecision image)
    {
        if (kubernetes.Client is null)
            copies.Enqueue(pod, image);
    }

    /// <summary>The decision to leave an image unchanged while its registry fails, or null.</summary>
    private ImageDecision? LetThroughIfFailing(AdmittedPod pod, ImageDecision decision)
    {
        if (Downstream(decision) is not { } target)
            return null;
        Watch(pod, target);
        return health.FailureOf(target.Registry, target.Repository) is { } failure ? LetThrough(decision, failure) : null;
    }

    /// <summary>Monitors the registry of a target, unless a reload has replaced the rules that name it.</summary>
    private void Watch(AdmittedPod pod, ImageReference target)
    {
        if (pod.Rules == rules.Current)
            health.Watch(target.Registry);
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
}
