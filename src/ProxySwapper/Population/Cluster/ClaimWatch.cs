using System.Collections.Concurrent;
using ProxySwapper.Kubernetes;
using ProxySwapper.Population.Queue;

namespace ProxySwapper.Population.Cluster;

/// <summary>
/// Watches the Leases of <see cref="CopyClaims"/> to see which replica copies what: when a copy ends, jobs waiting for it here continue at
/// once.
/// </summary>
internal sealed class ClaimWatch(
    KubernetesAccess kubernetes,
    CopyClaims claims,
    PopulationQueue queue,
    TimeProvider time,
    ILogger<ClaimWatch> logger
) : BackgroundService
{
    private readonly ConcurrentDictionary<string, Lease> _held = new(StringComparer.Ordinal);

    /// <summary>The current holders, of all replicas.</summary>
    public IReadOnlyCollection<Lease> Held => [.. _held.Values.OrderBy(lease => lease.AcquireTime)];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
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
            await foreach (var (kind, lease) in watcher.WatchAsync(stoppingToken))
                switch (kind)
                {
                    case WatchEventKind.ListStarted:
                        listed = new HashSet<string>(StringComparer.Ordinal);
                        break;
                    case WatchEventKind.ListCompleted:
                        foreach (var gone in _held.Values.Where(held => listed?.Contains(held.Name) == false))
                            Ended(gone);
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

    private void Ended(Lease lease)
    {
        _held.TryRemove(lease.Name, out _);
        claims.Forget(lease.Name);
        if (lease.Annotations.TryGetValue(CopyClaims.TargetAnnotation, out var target))
            queue.Resume(target);
    }
}
