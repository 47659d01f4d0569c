using ProxySwapper.Configuration;
using ProxySwapper.Kubernetes;
using ProxySwapper.Kubernetes.Connection;
using ProxySwapper.Management;
using ProxySwapper.Population.Cluster;
using ProxySwapper.Population.Downstream;
using ProxySwapper.Population.Queue;
using ProxySwapper.Population.Work;
using ProxySwapper.Rules;

namespace ProxySwapper.Population;

/// <summary>
/// At startup and periodically, finds the Pods with rewritten images and queues images that are missing downstream: nothing is lost in a
/// crash, and images deleted downstream are restored.
/// </summary>
internal sealed partial class Reconciler(
    KubernetesAccess kubernetes,
    ConfigurationMonitor rules,
    PopulationQueue queue,
    DownstreamLookup lookup,
    SeenNamespaces namespaces,
    PopulationMetrics metrics,
    TimeProvider time,
    ILogger<Reconciler> logger
) : BackgroundService
{
    private bool _hasListed;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        BackgroundWork.KeepRunningAsync(WorkAsync, time, logger, stoppingToken);

    private async Task WorkAsync(CancellationToken stoppingToken)
    {
        if (kubernetes.Client is not { } client)
            return;
        await BackgroundWork.RepeatAsync(
            () =>
                rules.Current.Options
                    is { DryRun: false, Populate: { Policy: not PopulatePolicy.None, ReconcileEvery: { Ticks: > 0 } every } }
                    ? every
                    : null,
            token => RunAsync(client, token),
            time,
            stoppingToken
        );
    }

    /// <summary>One pass. Cluster errors are logged; the next pass may succeed.</summary>
    /// <returns>False if a reload has replaced the rules that the pass goes by.</returns>
    internal async Task<bool> RunAsync(KubernetesClient client, CancellationToken cancellationToken)
    {
        var current = rules.Current;
        var source = PopulationPlanner.Compile(current.Options.Populate);
        var label = current.Options.PatchLabel;
        // Those that are missing with the Pods that need them, as far as their secrets may differ.
        var seen = new Dictionary<string, List<PodOrigin>?>(StringComparer.Ordinal);
        var (pods, queued) = (0, 0);
        if (!_hasListed)
            namespaces.ListStarted();
        try
        {
            await foreach (
                var pod in new PodClient(client).ListAsync(
                    ResourceQuery.LivePods(null, $"{label.Key}={label.Value}"),
                    ListedPod.Read,
                    cancellationToken
                )
            )
            {
                pods++;
                namespaces.Add(pod.Origin.Namespace);
                foreach (var image in pod.Images)
                {
                    if (source.WorkFor(pod.DecisionOf(image, current)) is not { } work)
                        continue;
                    if (!seen.TryGetValue(work.Key, out var origins))
                        seen[work.Key] = origins = await lookup.IsMissingAsync(work, pod.IsStarted, cancellationToken) ? [] : null;
                    if (rules.Current != current)
                        return false;
                    if (origins is { Count: < PodOrigin.MaximumPerImage } && origins.TrueForAll(pod.Origin.HasOtherAccessThan))
                    {
                        queued += Enqueue(work, pod.Origin) && origins.Count == 0 ? 1 : 0;
                        origins.Add(pod.Origin);
                    }
                }
            }
            _hasListed = true;
            namespaces.ListCompleted();
            Log.Done(logger, pods, seen.Count, queued);
        }
        catch (Exception fault) when (fault is KubernetesException or KubernetesConnectionException)
        {
            Log.Failed(logger, fault.Message);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Shutting down.
        }
        return true;
    }

    private bool Enqueue(PopulationWork work, PodOrigin origin)
    {
        var result = queue.TryEnqueue(work, origin);
        if (result.IsFull)
            metrics.Dropped();
        return result.Outcome == EnqueueOutcome.Queued;
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "Reconciled Pods: {Pods}, their images: {Images}; missing downstream and queued: {Queued}")]
        public static partial void Done(ILogger logger, int pods, int images, int queued);

        [LoggerMessage(2, LogLevel.Warning, "Cannot reconcile the Pods of the cluster: {Fault}")]
        public static partial void Failed(ILogger logger, string fault);
    }
}
