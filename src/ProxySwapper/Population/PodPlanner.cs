using ProxySwapper.Configuration;
using ProxySwapper.Population.Cluster;
using ProxySwapper.Population.Downstream;
using ProxySwapper.Population.Gates;
using ProxySwapper.Population.Queue;
using ProxySwapper.Population.Work;
using ProxySwapper.Rules;

namespace ProxySwapper.Population;

/// <summary>Queues the work for a Pod's images, and notifies waiting Pods when they are downstream.</summary>
internal sealed class PodPlanner(
    ConfigurationMonitor rules,
    CurrentPlanner planner,
    PopulationQueue queue,
    PodEnqueuer enqueuer,
    PodLookups lookups,
    TimeProvider time
)
{
    /// <summary>How long a Pod waits for room in the queue, and for a registry that does not respond to a lookup.</summary>
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);

    /// <summary>Queues the images of a Pod that is not gated.</summary>
    public void Plan(ListedPod pod)
    {
        var current = rules.Current;
        if (current.Options is { DryRun: true } or { Populate.Policy: PopulatePolicy.None })
            return;
        foreach (var image in pod.Images)
            if (planner.For(current).WorkFor(pod.DecisionOf(image, current)) is { } work)
                _ = enqueuer.TryEnqueue(work, pod.Origin, image.IsPulledAlways);
    }

    /// <summary>Waits until an image of a gated Pod is downstream.</summary>
    /// <returns>Null on success; otherwise why it failed.</returns>
    public async Task<string?> EnsureDownstreamAsync(ListedPod pod, GatedImage image, CancellationToken cancellationToken)
    {
        // Another container may name the same image without an original.
        var isPulledAlways = pod.Images.Any(listed => listed.IsPulledAlways && listed.Final == image.Image);
        var isSilent = false;
        while (true)
        {
            // Each time by the rules of that time: a reload may take the image elsewhere.
            var current = rules.Current;
            var decision = ListedPod.DecisionOf(image.Image, image.Original, pod.Origin.Namespace, current);
            if (planner.For(current).WorkFor(decision) is not { } work)
                return decision is { Target: not null, Populate: false } ? null : "no rule has this target any more";
            var presence = await lookups.VerifyAsync(work, pod.Origin.Namespace, cancellationToken);
            cancellationToken.ThrowIfCancellationRequested();
            // Else a registry that these rules do not name any more would be written to and watched.
            if (rules.Current != current)
                continue;
            var isPresent = presence == ImagePresence.Present;
            if (NothingIsCopied(current.Options) is { } reason)
                return isPresent ? await lookups.OtherSourceAsync(work, pod.Origin.Namespace, cancellationToken) : reason;
            var (outcome, job, _) = enqueuer.TryEnqueue(work, pod.Origin, isPulledAlways, isSilent);
            isSilent = true;
            if (isPresent || outcome == EnqueueOutcome.Known || job is not null && await IsCopiedAsync(job, cancellationToken))
                return await lookups.OtherSourceAsync(work, pod.Origin.Namespace, cancellationToken);
            if (job is { IsDisplaced: false } && job.Includes(pod.Origin.Namespace) && !queue.IsClosed)
                return job.LastFault ?? "the copy failed";
            await Task.Delay(RetryInterval, time, cancellationToken);
        }
    }

    /// <summary>Why a gated Pod's images are only looked for, or null.</summary>
    private static string? NothingIsCopied(ProxySwapperOptions options) =>
        options.DryRun ? "dryRun is on: nothing is copied"
        : options.Populate.Policy == PopulatePolicy.None ? "populate.policy is none: nothing is copied"
        : null;

    private async Task<bool> IsCopiedAsync(PopulationJob job, CancellationToken cancellationToken)
    {
        using (queue.Prioritize(job))
            return await job.Completion.WaitAsync(cancellationToken);
    }
}
