using System.Diagnostics;
using ProxySwapper.Admission;
using ProxySwapper.Configuration;
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
    PodGating gating,
    RecreatedPods recreated,
    AdmissionCopies copies,
    EphemeralImages ephemeral,
    ExistsPolicy exists,
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
            if (UnchangedIfFailing(pod, image.Decision) is { } unchanged)
                images[index] = Task.FromResult(unchanged);
            else if (options.SwapPolicy == SwapPolicy.Exists && Downstream(image.Decision) is { } target)
                if (exists.WasSeen(target))
                    copies.EnqueueWithoutWatch(pod, image);
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
            await exists.DecideAsync(pod, unseen, images, review);
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
        // What was awaited has already been queued.
        if (IsAwaited(pod.Rules.Options))
            return;
        foreach (var image in pod.Images)
            copies.EnqueueWithoutWatch(pod, image);
    }

    private async Task<ImageDecision> AwaitAsync(AdmittedPod pod, PodImageDecision image, CancellationToken deadline)
    {
        await copies.AwaitAsync(pod, image, deadline);
        return image.Decision;
    }

    /// <summary>The decision to leave an image unchanged while its registry fails, or null.</summary>
    private ImageDecision? UnchangedIfFailing(AdmittedPod pod, ImageDecision decision)
    {
        if (Downstream(decision) is not { } target)
            return null;
        Watch(pod, target);
        return health.FailureOf(target.Registry, target.Repository) is { } failure ? decision.LeaveUnchanged(failure) : null;
    }

    /// <summary>Monitors the registry of a target, unless a reload has replaced the rules that name it.</summary>
    private void Watch(AdmittedPod pod, ImageReference target)
    {
        if (pod.Rules == rules.Current)
            health.Watch(target.Registry);
    }

    /// <summary>What the image was rewritten to and we populate, or null.</summary>
    private static ImageReference? Downstream(ImageDecision decision) => decision.Populate ? decision.Target : null;

    private static bool IsAwaited(ProxySwapperOptions options) =>
        options is { SwapPolicy: SwapPolicy.Exists } or { Populate.Policy: PopulatePolicy.Immediate };
}
