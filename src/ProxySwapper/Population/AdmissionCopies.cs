using System.Collections.Immutable;
using ProxySwapper.Admission;
using ProxySwapper.Configuration;
using ProxySwapper.Population.Cluster;
using ProxySwapper.Population.Queue;
using ProxySwapper.Population.Work;
using ProxySwapper.Rules;

namespace ProxySwapper.Population;

/// <summary>The copies that a review itself starts or waits for, with our own credentials only.</summary>
internal sealed class AdmissionCopies(KubernetesAccess kubernetes, CurrentPlanner planner, PopulationQueue queue, PopulationMetrics metrics)
{
    /// <summary>Whether unchanged images must be copied anyway.</summary>
    public bool AreWanted(ImmutableArray<PodImageDecision> images, RuleSet rules)
    {
        foreach (var image in images)
            if (
                image.Decision.Reason == DecisionReason.NotDownstream
                || planner.For(rules).WorkFor(image.Decision) is { } work && !queue.Known.IsKnown(work.Key)
            )
                return true;
        return false;
    }

    /// <summary>Waits for an image until the timeout; true if it is downstream. The copy continues in any case.</summary>
    public async Task<bool> AwaitAsync(AdmittedPod pod, PodImageDecision image, CancellationToken deadline)
    {
        if (pod.IsDryRun || Enqueue(pod, image) is not { } job)
            return false;
        using (queue.Prioritize(job))
        {
            await ((Task)job.Completion).WaitAsync(deadline).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return job.Completion is { IsCompletedSuccessfully: true, Result: true };
        }
    }

    /// <summary>
    /// Queues the copy of an image unless there is an API server, whose watch will see the Pod: a missing image is copied for the next
    /// time, and an existing one may need a recheck.
    /// </summary>
    public void EnqueueWithoutWatch(AdmittedPod pod, PodImageDecision image)
    {
        if (kubernetes.Client is null)
            Enqueue(pod, image);
    }

    /// <summary>Queues the copy of an image.</summary>
    /// <returns>The job; null if nothing is to be copied, or the queue is full.</returns>
    private PopulationJob? Enqueue(AdmittedPod pod, PodImageDecision image)
    {
        if (
            pod.IsDryRun
            || pod.Rules.Options is { DryRun: true } or { Populate.Policy: PopulatePolicy.None }
            || planner.For(pod.Rules).WorkFor(image.Decision) is not { } work
        )
            return null;
        var origin = new PodOrigin(pod.Namespace, pod.Name, pod.ServiceAccountName, [], pod.Activity);
        var result = queue.TryEnqueue(work, origin, image.IsPulledAlways);
        if (result.IsFull)
            metrics.Dropped();
        return result.Job;
    }
}
