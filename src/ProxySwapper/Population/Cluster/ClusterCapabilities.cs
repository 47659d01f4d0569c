using System.Net;
using ProxySwapper.Kubernetes;
using ProxySwapper.Kubernetes.Connection;
using ProxySwapper.Management;

namespace ProxySwapper.Population.Cluster;

/// <summary>
/// Whether Pods can be held behind a scheduling gate: the API server must support gates (1.27), and we must be allowed to watch and patch
/// Pods. Checked at startup and every few minutes, since API servers are upgraded and permissions granted.
/// </summary>
internal sealed partial class ClusterCapabilities(KubernetesAccess kubernetes, TimeProvider time, ILogger<ClusterCapabilities> logger)
    : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(10);
    private static readonly string[] NeededVerbs = ["list", "watch", "patch"];

    private const string Unchecked = "the API server has not been checked yet";

    private volatile string? _obstacle = Unchecked;

    /// <summary>Whether it is known by now.</summary>
    public bool IsKnown => _obstacle != Unchecked;

    /// <summary>Whether Pods can be gated.</summary>
    public bool HasGates => _obstacle is null;

    /// <summary>Why they cannot, or null.</summary>
    public string? Obstacle => _obstacle;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        BackgroundWork.KeepRunningAsync(WorkAsync, time, logger, stoppingToken);

    private async Task WorkAsync(CancellationToken stoppingToken)
    {
        if (kubernetes.Client is not { } client)
        {
            _obstacle = "no API server configured";
            return;
        }
        try
        {
            while (true)
            {
                var hasResponded = await CheckAsync(client, stoppingToken);
                await Task.Delay(hasResponded ? Interval : RetryInterval, time, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Shutting down.
        }
    }

    /// <summary>Checks once; false without a response, which keeps the previous result.</summary>
    internal async Task<bool> CheckAsync(KubernetesClient client, CancellationToken cancellationToken)
    {
        try
        {
            var obstacle = await ObstacleAsync(client, cancellationToken);
            if (obstacle != _obstacle)
                if (obstacle is null)
                    Log.Gates(logger);
                else
                    Log.NoGates(logger, obstacle);
            _obstacle = obstacle;
            return true;
        }
        catch (Exception problem) when (problem is KubernetesException or KubernetesConnectionException)
        {
            Log.CheckFailed(logger, problem.Message);
            return false;
        }
    }

    private static async Task<string?> ObstacleAsync(KubernetesClient client, CancellationToken cancellationToken)
    {
        var version = await KubernetesVersion.GetAsync(client, cancellationToken);
        if (!version.IsAtLeast(1, 27))
            return $"scheduling gates require Kubernetes 1.27, and the API server has {version}";
        var access = new AccessReviewClient(client);
        foreach (var verb in NeededVerbs)
            if (!await IsAllowedAsync(access, verb, cancellationToken))
                return $"the ServiceAccount has no permission to {verb} pods";
        return null;
    }

    /// <summary>An API server without access reviews has no rules that could forbid it.</summary>
    private static async Task<bool> IsAllowedAsync(AccessReviewClient access, string verb, CancellationToken cancellationToken)
    {
        try
        {
            return await access.IsAllowedAsync(new ResourceAccess(verb, ResourceType.Pods), cancellationToken);
        }
        catch (KubernetesException problem) when (problem.Status == HttpStatusCode.NotFound)
        {
            return true;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "Pods can be held back by a scheduling gate until their images are downstream")]
        public static partial void Gates(ILogger logger);

        [LoggerMessage(2, LogLevel.Warning, "populate.policy gate acts as delayed: {Obstacle}")]
        public static partial void NoGates(ILogger logger, string obstacle);

        [LoggerMessage(3, LogLevel.Warning, "Cannot check whether Pods can be gated: {Error}")]
        public static partial void CheckFailed(ILogger logger, string error);
    }
}
