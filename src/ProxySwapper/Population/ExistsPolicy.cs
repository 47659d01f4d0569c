using System.Collections.Concurrent;
using ProxySwapper.Admission;
using ProxySwapper.Configuration;
using ProxySwapper.Population.Downstream;
using ProxySwapper.Registry;
using ProxySwapper.Rules;

namespace ProxySwapper.Population;

/// <summary>
/// <c>swapPolicy: exists</c>: an image is rewritten if it is downstream. Checks images that were not seen before at the registry; one that
/// cannot be checked in time is left unchanged.
/// </summary>
internal sealed class ExistsPolicy(DownstreamLookup lookup, AdmissionLookups lookups, DownstreamHealth health, AdmissionCopies copies)
{
    /// <inheritdoc cref="DownstreamLookup.WasSeen"/>
    public bool WasSeen(ImageReference target) => lookup.WasSeen(target);

    /// <summary>Starts the decisions on images after their lookups: a few at a time, since one review may name hundreds.</summary>
    /// <param name="pod">The Pod.</param>
    /// <param name="unseen">The images that were not seen before, by their index in the Pod.</param>
    /// <param name="decisions">Receives the decisions, by the same index; complete when their tasks are.</param>
    /// <param name="review">The wait, which bounds that of the lookups.</param>
    public Task DecideAsync(
        AdmittedPod pod,
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
                    decisions[index] = DecideAsync(pod, pod.Images[index], presence, review);
            }
        }
    }

    private async Task<ImageDecision> DecideAsync(AdmittedPod pod, PodImageDecision image, ImagePresence? presence, WaitingReview review)
    {
        var (decision, target) = (image.Decision, image.Decision.Target!);
        var isImmediate = pod.Rules.Options.Populate.Policy == PopulatePolicy.Immediate;
        // A client that is gone, or a review that made room, says nothing about the registry.
        var hasFailed = presence == ImagePresence.Unknown && (review.HasTimedOut || !review.Token.IsCancellationRequested);
        if (presence != ImagePresence.Present && isImmediate && await copies.AwaitAsync(pod, image, review.Token))
            return decision;
        if (hasFailed)
            health.ReportFailure(target.Registry);
        copies.EnqueueWithoutWatch(pod, image);
        return presence switch
        {
            ImagePresence.Present => decision,
            ImagePresence.Missing => decision with { Target = null, Reason = DecisionReason.NotDownstream },
            _ when review.IsDisplaced => decision.LeaveUnchanged(
                $"too many images wait to be checked, and its namespace has the most of them: {target} was not checked"
            ),
            ImagePresence.Unknown => decision.LeaveUnchanged($"checking {target} at {target.Registry} timed out"),
            _ => decision.LeaveUnchanged(
                "too many other images of its namespace, or of namespaces without a known Pod, are being checked: "
                    + $"{target} was not checked in time"
            ),
        };
    }
}
