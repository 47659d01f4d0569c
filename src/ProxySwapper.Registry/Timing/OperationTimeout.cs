namespace ProxySwapper.Registry.Timing;

/// <summary>Cancels an operation after a timeout, and knows whether the timeout or the caller cancelled it.</summary>
public sealed class OperationTimeout : IDisposable
{
    private readonly CancellationToken _caller;
    private readonly CancellationTokenSource _timer;
    private readonly CancellationTokenSource _either;
    private bool _isDisposed;

    /// <summary>Starts the timeout.</summary>
    /// <param name="limit">How long it may take; <see cref="Timeout.InfiniteTimeSpan"/> for no limit yet.</param>
    /// <param name="time">The clock.</param>
    /// <param name="caller">The caller's token, which also cancels the operation.</param>
    public OperationTimeout(TimeSpan limit, TimeProvider time, CancellationToken caller)
    {
        _caller = caller;
        _timer = new CancellationTokenSource(limit, time);
        _either = CancellationTokenSource.CreateLinkedTokenSource(_timer.Token, caller);
        Reason = $"no response within {limit.TotalSeconds:0} s";
    }

    /// <summary>Cancelled after the timeout, and by the caller.</summary>
    public CancellationToken Token => _either.Token;

    /// <summary>Whether the timeout has passed and the caller has not cancelled.</summary>
    public bool HasPassed => _timer.IsCancellationRequested && !_caller.IsCancellationRequested;

    /// <summary>What timed out.</summary>
    public string Reason { get; private set; }

    /// <inheritdoc />
    public void Dispose()
    {
        lock (_timer)
            _isDisposed = true;
        _either.Dispose();
        _timer.Dispose();
    }

    /// <summary>Restarts the timeout for another phase.</summary>
    /// <param name="limit">How long the phase may take; <see cref="Timeout.InfiniteTimeSpan"/> for no limit.</param>
    /// <param name="reason">What to say if it takes longer.</param>
    /// <remarks>
    /// A body may still be sent when an early response has ended the operation: then there is nothing left to limit.
    /// </remarks>
    public void Restart(TimeSpan limit, string reason)
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
