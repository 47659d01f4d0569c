using System.Text.Json;
using ProxySwapper.Admission;
using ProxySwapper.Configuration;
using ProxySwapper.Kubernetes;
using ProxySwapper.Management;
using ProxySwapper.Population.Cluster;
using ProxySwapper.Population.Gates;
using ProxySwapper.Rules;

namespace ProxySwapper.Population;

/// <summary>
/// Watches the Pods that carry one of our labels and have no node yet; population works for these. Each Pod is seen once when it is created
/// and once when it gets its node, however large the cluster.
/// </summary>
internal sealed partial class PodWatch(
    KubernetesAccess kubernetes,
    ConfigurationMonitor rules,
    SeenNamespaces namespaces,
    PodPlanner planner,
    GatedPods gated,
    PullSecretCheck pullSecrets,
    PolicyMetrics policy,
    TimeProvider time,
    ILogger<PodWatch> logger
) : BackgroundService
{
    /// <summary>With any value: a user who sets another one to release the Pod must not hide it from us.</summary>
    private const string GatedSelector = GateLabels.Gated;

    private static readonly TimeSpan ReloadInterval = TimeSpan.FromSeconds(5);

    private volatile IReadOnlyList<ResourceWatcher<WatchedPod>> _watchers = [];

    /// <summary>Whether the watch sees new Pods.</summary>
    public bool IsConnected => _watchers is { Count: > 0 } watchers && watchers.All(watcher => watcher.Status.IsConnected);

    /// <summary>Why not, for the operator; empty if all is well or without an API server.</summary>
    public string Describe()
    {
        if (kubernetes.Client is null || IsConnected)
            return "";
        var status = _watchers.Select(watcher => watcher.Status).FirstOrDefault(status => !status.IsConnected);
        return status is null ? "Pods are not watched yet" : $"no watch of Pods since {status.Since:u}: {status.Error ?? "connecting"}";
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        BackgroundWork.KeepRunningAsync(WorkAsync, time, logger, stoppingToken);

    private async Task WorkAsync(CancellationToken stoppingToken)
    {
        if (kubernetes.Client is not { } client)
            return;
        while (!stoppingToken.IsCancellationRequested)
        {
            var options = rules.Current.Options;
            var selectors = SelectorsOf(options);
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
            var watches = selectors.Select(selector => (Selector: selector, Watcher: Watcher(client, selector))).ToList();
            _watchers = [.. watches.Select(watch => watch.Watcher)];
            var following = watches
                .Select(watch =>
                    FollowAsync(
                        watch.Watcher,
                        isGated: watch.Selector == GatedSelector,
                        isPatched: watch.Selector == PatchSelectorOf(options),
                        stop.Token
                    )
                )
                .ToList();
            // A reload may require other labels.
            while (
                !stoppingToken.IsCancellationRequested
                && !following.Exists(watch => watch.IsFaulted)
                && SelectorsOf(rules.Current.Options).SequenceEqual(selectors)
            )
                await Task.WhenAny([.. following, Task.Delay(ReloadInterval, time, stoppingToken)]);
            await stop.CancelAsync();
            await Task.WhenAll(following);
        }
    }

    private static List<string> SelectorsOf(ProxySwapperOptions options)
    {
        // Also with another policy: a Pod that was gated earlier must not wait forever.
        List<string> selectors = [GatedSelector];
        // Without population too: the Pods that a policy rewrote are counted, and pull Secrets are checked.
        if (
            options.Populate.Policy != PopulatePolicy.None
            || options.AdmissionPolicy.Name is not null
            || options.Rules.Any(rule => rule.PullSecret is not null)
        )
            selectors.Add(PatchSelectorOf(options));
        if (options.Populate.Policy != PopulatePolicy.None)
            selectors.Add($"{GateLabels.Populate}={GateLabels.PopulateValue}");
        return selectors;
    }

    private static string PatchSelectorOf(ProxySwapperOptions options) => $"{options.PatchLabel.Key}={options.PatchLabel.Value}";

    private ResourceWatcher<WatchedPod> Watcher(KubernetesClient client, string selector) =>
        new(
            client,
            new ResourceQuery(ResourceType.Pods) { LabelSelector = selector, FieldSelector = "spec.nodeName=" },
            WatchedPod.Read,
            new WatchOptions(),
            time,
            logger
        );

    private async Task FollowAsync(ResourceWatcher<WatchedPod> watcher, bool isGated, bool isPatched, CancellationToken cancellationToken)
    {
        HashSet<string>? listed = null;
        try
        {
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
                            See(pod!, isGated, wasListed: listed is not null);
                        }
                        catch (Exception fault)
                        {
                            // A bug in this program: the other Pods are seen.
                            Log.Broken(logger, pod!.Pod.Origin.Namespace, pod.Pod.Origin.Name, fault);
                        }
                        break;
                }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Shutting down, or other labels are to be watched.
        }
    }

    private void See(WatchedPod seen, bool isGated, bool wasListed)
    {
        namespaces.Add(seen.Pod.Origin.Namespace);
        pullSecrets.See(seen.Pod);
        if (seen.Gate is not { } gate)
        {
            gated.Forget(seen.Pod.Uid, hasLabel: isGated);
            planner.Plan(seen.Pod);
            return;
        }
        // A gated Pod matches two selectors, unless its label was removed.
        if (isGated || !gate.HasLabel)
            gated.Track(gate, wasListed, (image, token) => planner.BringAsync(seen.Pod, image, token));
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "Pod {Namespace}/{Name} was not seen because of an internal error")]
        public static partial void Broken(ILogger logger, string @namespace, string? name, Exception fault);
    }

    /// <summary>What is remembered of a Pod.</summary>
    private sealed record WatchedPod(ListedPod Pod, GatedPod? Gate)
    {
        public static WatchedPod Read(JsonElement pod) => new(ListedPod.Read(pod), GatedPod.Read(pod));
    }
}
