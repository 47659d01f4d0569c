using ProxySwapper.Kubernetes;
using ProxySwapper.Registry.Timing;

namespace ProxySwapper.Population.Cluster;

/// <summary>A Lease that this process holds and renews until disposed, which releases it.</summary>
internal sealed partial class CopyClaim : IAsyncDisposable
{
    /// <summary>No Lease: the copy runs without one.</summary>
    public static readonly CopyClaim None = new();

    /// <summary>
    /// How long a claim is valid after its last renewal was sent, by our own clock: less than the Lease, so that the copy has stopped when
    /// another replica, whose idea of the server's time may be a few seconds ahead of ours, takes it over.
    /// </summary>
    public static readonly TimeSpan Validity = CopyClaims.Duration - TimeSpan.FromSeconds(5);

    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(5);

    /// <summary>How soon a failed renewal is tried again.</summary>
    public static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(2);

    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _lost;
    private readonly KubernetesClient? _client;
    private readonly LeaseClient? _leases;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Task _renewing;
    private volatile Lease? _lease;

    /// <summary>Holds a Lease that was created or taken over.</summary>
    /// <param name="client">The API server.</param>
    /// <param name="lease">The Lease.</param>
    /// <param name="sent">The timestamp of the request that created it or took it over.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">The log.</param>
    public CopyClaim(KubernetesClient client, Lease lease, long sent, TimeProvider time, ILogger logger)
    {
        (_client, _leases, _lease, _time, _logger) = (client, new LeaseClient(client), lease, time, logger);
        _lost = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        Extend(sent);
        _renewing = RenewAsync();
    }

    private CopyClaim() =>
        (_lost, _time, _logger, _renewing) = (
            new CancellationTokenSource(),
            TimeProvider.System,
            Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance,
            Task.CompletedTask
        );

    /// <summary>Cancelled when another replica has taken over the Lease, or may do so since it was not renewed in time.</summary>
    public CancellationToken Lost => _lost.Token;

    /// <summary>Whether another replica has taken over the Lease.</summary>
    public bool IsTaken => _lease is null;

    public async ValueTask DisposeAsync()
    {
        if (_leases is null)
            return;
        await _stop.CancelAsync();
        await _renewing;
        if (_lease is { } lease)
            await ReleaseAsync(lease);
        _stop.Dispose();
        _lost.Dispose();
    }

    private async Task RenewAsync()
    {
        try
        {
            for (var pause = CopyClaims.RenewInterval; !IsTaken; pause = await RenewOnceAsync() ? CopyClaims.RenewInterval : RetryInterval)
                await Task.Delay(pause, _time, _stop.Token);
        }
        catch (OperationCanceledException)
        {
            // The copy has ended.
        }
    }

    /// <summary>Renews the Lease, or finds that another replica has it; false if neither is known.</summary>
    private async Task<bool> RenewOnceAsync()
    {
        var held = _lease!;
        var sent = _time.GetTimestamp();
        using var timeout = new OperationTimeout(CallTimeout, _time, _stop.Token);
        try
        {
            _lease =
                await TryRenewAsync(held, timeout.Token)
                ?? (await ReadOwnAsync(held, timeout.Token) is { } current ? await TryRenewAsync(current, timeout.Token) : null);
        }
        catch (Exception problem) when (problem is not OperationCanceledException || !_stop.IsCancellationRequested)
        {
            // Whatever it is, the Lease is lost if it lasts, and the end of the copy must not fail because of it.
            Log.NotRenewed(_logger, held.Name, timeout.HasPassed ? timeout.Reason : problem.Message);
            return false;
        }
        if (IsTaken)
            await _lost.CancelAsync();
        else
            Extend(sent);
        return true;
    }

    /// <summary>Postpones the loss of the Lease.</summary>
    /// <param name="sent">The timestamp of the renewal, before which the server cannot have written it.</param>
    private void Extend(long sent)
    {
        var rest = Validity - _time.GetElapsedTime(sent);
        _lost.CancelAfter(rest > TimeSpan.Zero ? rest : TimeSpan.Zero);
    }

    private Task<Lease?> TryRenewAsync(Lease lease, CancellationToken cancellationToken) =>
        _leases!.TryUpdateAsync(lease with { RenewTime = _client!.ServerTime }, cancellationToken);

    /// <summary>The Lease as it is now, if it is still ours: a renewal of which the response was lost has changed its version.</summary>
    private async Task<Lease?> ReadOwnAsync(Lease held, CancellationToken cancellationToken) =>
        await _leases!.GetAsync(held.Namespace, held.Name, cancellationToken) is { } current
        && current.Uid == held.Uid
        && current.HolderIdentity == held.HolderIdentity
        && current.AcquireTime == held.AcquireTime
            ? current
            : null;

    private async Task ReleaseAsync(Lease lease)
    {
        using var timeout = new OperationTimeout(CallTimeout, _time, CancellationToken.None);
        try
        {
            if (await _leases!.TryDeleteAsync(lease, timeout.Token))
                return;
            if (await ReadOwnAsync(lease, timeout.Token) is { } current)
                await _leases.TryDeleteAsync(current, timeout.Token);
        }
        catch (Exception problem)
        {
            // Whatever it is, the copy has ended as it has.
            Log.NotReleased(_logger, lease.Name, CopyClaims.Duration.TotalSeconds, timeout.HasPassed ? timeout.Reason : problem.Message);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "Cannot renew Lease {Name}: {Error}")]
        public static partial void NotRenewed(ILogger logger, string name, string error);

        [LoggerMessage(2, LogLevel.Warning, "Cannot delete Lease {Name}, it expires in {Seconds} s: {Error}")]
        public static partial void NotReleased(ILogger logger, string name, double seconds, string error);
    }
}
