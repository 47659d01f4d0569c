using ProxySwapper.Configuration;
using ProxySwapper.Population.Cluster;
using ProxySwapper.Population.Downstream;
using ProxySwapper.Population.Gates;
using ProxySwapper.Population.Queue;
using ProxySwapper.Population.Transfer;
using ProxySwapper.Population.Work;
using ProxySwapper.Rules;

namespace ProxySwapper.Population;

/// <summary>Queues the work for a Pod's images, and notifies waiting Pods when they are downstream.</summary>
internal sealed partial class PodPlanner(
    ConfigurationMonitor rules,
    CurrentPlanner planner,
    PopulationQueue queue,
    DownstreamLookup lookup,
    LookupLimiter limiter,
    TagSources tagSources,
    DownstreamHealth health,
    PopulationMetrics metrics,
    TimeProvider time,
    ILogger<PodPlanner> logger
)
{
    /// <summary>How long a Pod waits for room in the queue, and for a registry that does not answer a lookup.</summary>
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);

    /// <summary>Queues the images of a Pod that is not gated.</summary>
    public void Plan(ListedPod pod)
    {
        var current = rules.Current;
        if (current.Options is { DryRun: true } or { Populate.Policy: PopulatePolicy.None })
            return;
        foreach (var image in pod.Images)
            if (planner.For(current).WorkFor(pod.DecisionOf(image, current)) is { } work)
                _ = TryEnqueue(work, pod.Origin, image.IsPulledAlways);
    }

    /// <summary>Waits until an image of a gated Pod is downstream.</summary>
    /// <returns>Null on success; otherwise why it failed.</returns>
    public async Task<string?> BringAsync(ListedPod pod, GatedImage image, CancellationToken cancellationToken)
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
            var presence = await VerifyAsync(work, pod, cancellationToken);
            cancellationToken.ThrowIfCancellationRequested();
            // Else a registry that these rules do not name any more would be written to and watched.
            if (rules.Current != current)
                continue;
            var isPresent = presence == ImagePresence.Present;
            if (NothingIsCopied(current.Options) is { } reason)
                return isPresent ? await OtherSourceAsync(work, pod, cancellationToken) : reason;
            var (outcome, job, _) = TryEnqueue(work, pod.Origin, isPulledAlways, isSilent);
            isSilent = true;
            if (isPresent || outcome == EnqueueOutcome.Known || job is not null && await IsCopiedAsync(job, cancellationToken))
                return await OtherSourceAsync(work, pod, cancellationToken);
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

    private async Task<ImagePresence> VerifyAsync(PopulationWork work, ListedPod pod, CancellationToken cancellationToken)
    {
        using (await limiter.EnterForPodAsync(pod.Origin.Namespace, work.Target.Registry, cancellationToken))
            return await lookup.VerifyAsync(work.Target, cancellationToken);
    }

    /// <summary>
    /// That the target has an image of another source, where rules allow that; else null. Nobody can change a digest's content.
    /// </summary>
    private async Task<string?> OtherSourceAsync(PopulationWork work, ListedPod pod, CancellationToken cancellationToken)
    {
        if (work is not CopyWork { IsTargetShared: true, IsPinned: false } copy)
            return null;
        try
        {
            using var place = await limiter.EnterForPodAsync(pod.Origin.Namespace, copy.Target.Registry, cancellationToken);
            return await tagSources.FindAsync(copy.Target, cancellationToken) is { } source && source != copy.Source.Name
                ? $"{copy.Target} is a copy of {source}"
                : null;
        }
        catch (Exception fault) when (FailureClassifier.IsExpected(fault))
        {
            return fault.Message;
        }
    }

    /// <param name="work">What to do.</param>
    /// <param name="origin">For which Pod.</param>
    /// <param name="mayHaveMoved">Whether a known tag is looked at again.</param>
    /// <param name="isSilent">Whether a refusal was logged and counted already.</param>
    private EnqueueResult TryEnqueue(PopulationWork work, PodOrigin origin, bool mayHaveMoved, bool isSilent = false)
    {
        if (work is CopyWork)
            health.Watch(work.Target.Registry, work.Target.Repository);
        var result = queue.TryEnqueue(work, origin, mayHaveMoved);
        if (result.Displaced is { } displaced)
        {
            metrics.Dropped();
            Log.Displaced(logger, displaced.Work.Key, displaced.Owner, origin.Namespace);
        }
        switch (result.Outcome)
        {
            case EnqueueOutcome.Dropped when !isSilent:
                metrics.Dropped();
                Log.Dropped(logger, work.Key, origin.Namespace, origin.Name);
                break;
            case EnqueueOutcome.Closed when !isSilent:
                Log.TooLate(logger, work.Key, origin.Namespace, origin.Name);
                break;
        }
        return result;
    }

    private static partial class Log
    {
        [LoggerMessage(
            1,
            LogLevel.Warning,
            "{Target} of Pod {PodNamespace}/{Pod} is not copied: the queue is full; the next Pod with this image retries"
        )]
        public static partial void Dropped(ILogger logger, string target, string podNamespace, string? pod);

        [LoggerMessage(
            2,
            LogLevel.Warning,
            "{Target} of Pod {PodNamespace}/{Pod} is not copied: shutting down; reconciliation copies it after the next start"
        )]
        public static partial void TooLate(ILogger logger, string target, string podNamespace, string? pod);

        [LoggerMessage(
            3,
            LogLevel.Warning,
            "{Target} of namespace {Owner} is removed from the full queue: namespace {PodNamespace} has fewer images in it"
        )]
        public static partial void Displaced(ILogger logger, string target, string owner, string podNamespace);
    }
}
