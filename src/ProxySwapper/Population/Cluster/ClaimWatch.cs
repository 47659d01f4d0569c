using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using ProxySwapper.Configuration;
using ProxySwapper.Kubernetes;
using ProxySwapper.Management;
using ProxySwapper.Population.Queue;
using ProxySwapper.Rules;

namespace ProxySwapper.Population.Cluster;

/// <summary>
/// Watches the Leases of <see cref="CopyClaims"/> to see which replica copies what: when a copy ends, jobs waiting for it here continue at
/// once.
/// </summary>
internal sealed class ClaimWatch(
    KubernetesAccess kubernetes,
    CopyClaims claims,
    PopulationQueue queue,
    ConfigurationMonitor rules,
    IMeterFactory meters,
    TimeProvider time,
    ILogger<ClaimWatch> logger
) : BackgroundService
{
    private static readonly TimeSpan ReloadInterval = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<string, Lease> _held = new(StringComparer.Ordinal);

    /// <summary>The current holders, of all replicas, without the Leases that expired and that nobody took over.</summary>
    public IReadOnlyCollection<Lease> Held =>
        [.. _held.Values.Where(lease => !claims.HasExpired(lease)).OrderBy(lease => lease.AcquireTime)];

    /// <summary>Leases that nobody has renewed for so long that they can be deleted.</summary>
    public IReadOnlyCollection<Lease> Abandoned => [.. _held.Values.Where(claims.IsAbandoned)];

    protected override Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (kubernetes.Client is not null)
            meters
                .Create("ProxySwapper")
                .CreateObservableGauge(
                    "proxyswapper_copy_claims",
                    Measure,
                    description: "Images being copied by this replica (holder self) and by the other replicas, as their Leases say."
                );
        return BackgroundWork.KeepRunningAsync(WorkAsync, time, logger, stoppingToken);
    }

    private async Task WorkAsync(CancellationToken stoppingToken)
    {
        if (kubernetes.Client is not { } client)
            return;
        var query = new ResourceQuery(ResourceType.Leases, client.Namespace)
        {
            LabelSelector = $"{CopyClaims.Label}={CopyClaims.LabelValue}",
        };
        var watcher = new ResourceWatcher<Lease>(client, query, LeaseJson.Read, new WatchOptions(), time, logger);
        HashSet<string>? listed = null;
        try
        {
            // Without copies there are no claims, and the chart grants no Leases.
            while (rules.Current.Options.Populate.Policy == PopulatePolicy.None)
                await Task.Delay(ReloadInterval, time, stoppingToken);
            await foreach (var (kind, lease) in watcher.WatchAsync(stoppingToken))
                switch (kind)
                {
                    case WatchEventKind.ListStarted:
                        listed = new HashSet<string>(StringComparer.Ordinal);
                        break;
                    case WatchEventKind.ListCompleted:
                        foreach (var gone in _held.Values.Where(held => listed?.Contains(held.Name) == false))
                            Ended(gone);
                        listed = null;
                        break;
                    case WatchEventKind.Deleted:
                        Ended(lease!);
                        break;
                    default:
                        listed?.Add(lease!.Name);
                        claims.Observe(lease!);
                        _held[lease!.Name] = lease;
                        break;
                }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Shutting down.
        }
    }

    private IEnumerable<Measurement<int>> Measure()
    {
        var held = Held;
        var own = held.Count(lease => lease.HolderIdentity == kubernetes.PodName);
        yield return new(own, new KeyValuePair<string, object?>("holder", "self"));
        yield return new(held.Count - own, new KeyValuePair<string, object?>("holder", "other"));
    }

    private void Ended(Lease lease)
    {
        _held.TryRemove(lease.Name, out _);
        claims.Forget(lease.Name);
        if (lease.Annotations.TryGetValue(CopyClaims.TargetAnnotation, out var target))
            queue.Resume(target);
    }
}
