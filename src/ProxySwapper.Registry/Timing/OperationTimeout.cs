namespace ProxySwapper.Registry.Timing;

/// <summary>Ends an operation when its time is up, and knows whether that or its caller ended it.</summary>
public sealed class OperationTimeout : IDisposable
{
    private readonly CancellationToken _caller;
    private readonly CancellationTokenSource _timer;
    private readonly CancellationTokenSource _either;
    private bool _isDisposed;

    /// <summary>Begins an operation.</summary>
    /// <param name="limit">How long it may take; <see cref="Timeout.InfiniteTimeSpan"/> for no limit yet.</param>
    /// <param name="time">The clock.</param>
    /// <param name="caller">Ends it too.</param>
    public OperationTimeout(TimeSpan limit, TimeProvider time, CancellationToken caller)
    {
        _caller = caller;
        _timer = new CancellationTokenSource(limit, time);
        _either = CancellationTokenSource.CreateLinkedTokenSource(_timer.Token, caller);
        Reason = $"no response within {limit.TotalSeconds:0} s";
    }

    /// <summary>Cancelled when the time is up, and when the caller gives up.</summary>
    public CancellationToken Token => _either.Token;

    /// <summary>The time is up, and the caller still waits.</summary>
    public bool HasPassed => _timer.IsCancellationRequested && !_caller.IsCancellationRequested;

    /// <summary>What did not happen in time.</summary>
    public string Reason { get; private set; }

    /// <inheritdoc />
    public void Dispose()
    {
        lock (_timer)
            _isDisposed = true;
        _either.Dispose();
        _timer.Dispose();
    }

    /// <summary>Begins anew, with this much time for something else.</summary>
    /// <remarks>
    /// A body may still be on its way when an early response has ended the operation: then there is nothing left to limit.
    /// </remarks>
    internal void Restart(TimeSpan limit, string reason)
    {
        lock (_timer)
        {
            if (_isDisposed)
                return;
            Reason = reason;
            _timer.CancelAfter(limit);
        }
    }
}
