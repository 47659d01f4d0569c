using ProxySwapper.Kubernetes;
using ProxySwapper.Kubernetes.Connection;
using ProxySwapper.Registry.Timing;

namespace ProxySwapper.Population.Cluster;

/// <summary>A Lease that this process holds and renews until disposed, which releases it.</summary>
internal sealed partial class CopyClaim : IAsyncDisposable
{
    /// <summary>No Lease: the copy runs without one.</summary>
    public static readonly CopyClaim None = new();

    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _lost = new();
    private readonly LeaseClient? _leases;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Task _renewing;
    private Lease? _lease;

    /// <summary>Holds a Lease that was created or taken over.</summary>
    public CopyClaim(LeaseClient leases, Lease lease, TimeProvider time, ILogger logger)
    {
        (_leases, _lease, _time, _logger) = (leases, lease, time, logger);
        _renewing = RenewAsync();
    }

    private CopyClaim() =>
        (_time, _logger, _renewing) = (
            TimeProvider.System,
            Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance,
            Task.CompletedTask
        );

    /// <summary>Cancelled when another replica has taken over the Lease.</summary>
    public CancellationToken Lost => _lost.Token;

    public async ValueTask DisposeAsync()
    {
        if (_leases is null)
            return;
        await _stop.CancelAsync();
        await _renewing;
        if (_lease is { } lease)
            await GiveBackAsync(lease);
        _stop.Dispose();
        _lost.Dispose();
    }

    private async Task RenewAsync()
    {
        try
        {
            while (true)
            {
                await Task.Delay(CopyClaims.RenewInterval, _time, _stop.Token);
                await RenewOnceAsync();
                if (_lease is null)
                    return;
            }
        }
        catch (OperationCanceledException)
        {
            // The copy has ended.
        }
    }

    private async Task RenewOnceAsync()
    {
        try
        {
            var held = _lease!;
            _lease =
                await TryRenewAsync(held) ?? (await ReadOwnAsync(held, _stop.Token) is { } current ? await TryRenewAsync(current) : null);
            if (_lease is null)
                await _lost.CancelAsync();
        }
        catch (Exception problem) when (problem is KubernetesException or KubernetesConnectionException)
        {
            // While the API server is down, nobody else can take it over either. If only this replica cannot reach it, another one may copy
            // the image too, which does less harm than copying it nowhere.
            Log.NotRenewed(_logger, _lease!.Name, problem.Message);
        }
    }

    private Task<Lease?> TryRenewAsync(Lease lease) => _leases!.TryUpdateAsync(lease with { RenewTime = _time.GetUtcNow() }, _stop.Token);

    /// <summary>The Lease as it is now, if it is still ours: a renewal of which the response was lost has changed its version.</summary>
    private async Task<Lease?> ReadOwnAsync(Lease held, CancellationToken cancellationToken) =>
        await _leases!.GetAsync(held.Namespace, held.Name, cancellationToken) is { } current
        && current.Uid == held.Uid
        && current.HolderIdentity == held.HolderIdentity
        && current.AcquireTime == held.AcquireTime
            ? current
            : null;

    private async Task GiveBackAsync(Lease lease)
    {
        using var timeout = new OperationTimeout(CallTimeout, _time, CancellationToken.None);
        try
        {
            if (await _leases!.TryDeleteAsync(lease, timeout.Token))
                return;
            if (await ReadOwnAsync(lease, timeout.Token) is { } current)
                await _leases.TryDeleteAsync(current, timeout.Token);
        }
        catch (Exception problem) when (problem is KubernetesException or KubernetesConnectionException or OperationCanceledException)
        {
            Log.NotGivenBack(_logger, lease.Name, CopyClaims.Duration.TotalSeconds, timeout.HasPassed ? timeout.Reason : problem.Message);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "Cannot renew Lease {Name}: {Error}")]
        public static partial void NotRenewed(ILogger logger, string name, string error);

        [LoggerMessage(2, LogLevel.Warning, "Cannot delete Lease {Name}, it expires in {Seconds} s: {Error}")]
        public static partial void NotGivenBack(ILogger logger, string name, double seconds, string error);
    }
}
