using System.Text.Json;
using ProxySwapper.Kubernetes;
using ProxySwapper.Population.Cluster;
using ProxySwapper.Population.Gates;

namespace ProxySwapper.Population;

/// <summary>
/// Handles the events of <see cref="PodWatch"/>: gated Pods wait for their images, those of other Pods are queued; pull Secrets are
/// checked, and Pods that the admission policy rewrote are counted.
/// </summary>
internal sealed partial class PodEventHandler(
    SeenNamespaces namespaces,
    PodPlanner planner,
    GatedPods gated,
    PullSecretCheck pullSecrets,
    PolicyMetrics policy,
    ILogger<PodEventHandler> logger
)
{
    /// <summary>Handles the events of one watch until it ends.</summary>
    /// <param name="watcher">The watch.</param>
    /// <param name="isGated">Whether it is that of Pods with our gate's label.</param>
    /// <param name="isPatched">Whether it is that of Pods with the label of rewritten Pods.</param>
    /// <param name="cancellationToken">Ends the watch.</param>
    public async Task HandleAsync(ResourceWatcher<WatchedPod> watcher, bool isGated, bool isPatched, CancellationToken cancellationToken)
    {
        HashSet<string>? listed = null;
        await foreach (var (kind, pod) in watcher.WatchAsync(cancellationToken))
            switch (kind)
            {
                case WatchEventKind.ListStarted:
                    listed = new HashSet<string>(StringComparer.Ordinal);
                    break;
                case WatchEventKind.ListCompleted:
                    if (listed is not null && (isGated || isPatched))
                        gated.Keep(listed, hasLabel: isGated);
                    listed = null;
                    break;
                case WatchEventKind.Deleted:
                    if (isGated || isPatched)
                        gated.Forget(pod!.Pod.Uid, hasLabel: isGated);
                    break;
                default:
                    listed?.Add(pod!.Pod.Uid);
                    try
                    {
                        if (isPatched && kind == WatchEventKind.Added && listed is null)
                            policy.Created(pod!.Pod);
                        Observe(pod!, isGated, wasListed: listed is not null);
                    }
                    catch (Exception fault)
                    {
                        // A bug in this program: the other Pods are seen.
                        Log.Broken(logger, pod!.Pod.Origin.Namespace, pod.Pod.Origin.Name, fault);
                    }
                    break;
            }
    }

    private void Observe(WatchedPod seen, bool isGated, bool wasListed)
    {
        // Where images are not copied, only Pods that wait at a gate are watched: one that a user labels says nothing of other namespaces.
        if (!isGated)
            namespaces.Add(seen.Pod.Origin.Namespace);
        pullSecrets.Observe(seen.Pod);
        if (seen.Gate is not { } gate)
        {
            gated.Forget(seen.Pod.Uid, hasLabel: isGated);
            planner.Plan(seen.Pod);
            return;
        }
        // A gated Pod matches two selectors, unless its label was removed.
        if (isGated || !gate.HasLabel)
            gated.Track(gate, wasListed, (image, token) => planner.EnsureDownstreamAsync(seen.Pod, image, token));
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "Pod {Namespace}/{Name} was not seen because of an internal error")]
        public static partial void Broken(ILogger logger, string @namespace, string? name, Exception fault);
    }
}

/// <summary>What is remembered of a Pod.</summary>
/// <param name="Pod">The Pod.</param>
/// <param name="Gate">How it waits behind our gate; null if it does not.</param>
internal sealed record WatchedPod(ListedPod Pod, GatedPod? Gate)
{
    public static WatchedPod Read(JsonElement pod) => new(ListedPod.Read(pod), GatedPod.Read(pod));
}
