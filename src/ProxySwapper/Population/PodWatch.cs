using ProxySwapper.Admission;
using ProxySwapper.Configuration;
using ProxySwapper.Kubernetes;
using ProxySwapper.Management;
using ProxySwapper.Population.Cluster;
using ProxySwapper.Rules;

namespace ProxySwapper.Population;

/// <summary>
/// Watches the Pods that carry one of our labels and have no node yet; population works for these. Each Pod is seen once when it is created
/// and once when it gets its node, however large the cluster.
/// </summary>
internal sealed class PodWatch(
    KubernetesAccess kubernetes,
    ConfigurationMonitor rules,
    PodEventHandler handler,
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
        try
        {
            await handler.HandleAsync(watcher, isGated, isPatched, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Shutting down, or other labels are to be watched.
        }
    }
}
