using ProxySwapper.Kubernetes;
using ProxySwapper.Kubernetes.Connection;
using ProxySwapper.Management;

namespace ProxySwapper.Population.Cluster;

/// <summary>
/// Deletes Leases of copies that replicas left behind: one that crashes deletes none, and another one only takes over the Lease of an image
/// that is needed again. Each replica does this for all, as <see cref="ClaimWatch"/> shows them.
/// </summary>
internal sealed partial class AbandonedClaims(
    KubernetesAccess kubernetes,
    ClaimWatch watch,
    TimeProvider time,
    ILogger<AbandonedClaims> logger
) : BackgroundService
{
    /// <summary>How often they are looked for.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMinutes(15);

    /// <summary>Deletions at a time: the rest has time until the next one.</summary>
    public const int MaximumDeletions = 100;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        BackgroundWork.KeepRunningAsync(WorkAsync, time, logger, stoppingToken);

    private async Task WorkAsync(CancellationToken stoppingToken)
    {
        if (kubernetes.Client is not { } client)
            return;
        var leases = new LeaseClient(client);
        while (true)
        {
            await Task.Delay(Interval, time, stoppingToken);
            await DeleteAsync(leases, stoppingToken);
        }
    }

    private async Task DeleteAsync(LeaseClient leases, CancellationToken cancellationToken)
    {
        foreach (var lease in watch.Abandoned.Take(MaximumDeletions))
            try
            {
                // In the version that was seen: whoever renews it or takes it over in the meantime keeps it.
                if (await leases.TryDeleteAsync(lease, cancellationToken))
                    Log.Deleted(logger, lease.Annotations.GetValueOrDefault(CopyClaims.TargetAnnotation, lease.Name), lease.HolderIdentity);
            }
            catch (Exception problem) when (problem is KubernetesException or KubernetesConnectionException)
            {
                Log.NotDeleted(logger, problem.Message);
                // A policy may deny the deletion of one Lease; anything else concerns the others too.
                if (problem is not KubernetesException { IsRejection: true })
                    return;
            }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "{Target}: deleted the expired Lease of {Holder}")]
        public static partial void Deleted(ILogger logger, string target, string? holder);

        [LoggerMessage(2, LogLevel.Warning, "Cannot delete an expired Lease: {Error}")]
        public static partial void NotDeleted(ILogger logger, string error);
    }
}
