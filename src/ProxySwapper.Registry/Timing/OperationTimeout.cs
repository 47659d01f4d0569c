namespace ProxySwapper.Registry.Timing;

/// <summary>Ends an operation when its time is up, and knows whether it was that or its caller who ended it.</summary>
internal sealed class OperationTimeout : IDisposable
{
    private readonly CancellationToken _caller;
    private readonly CancellationTokenSource _timer;
    private readonly CancellationTokenSource _either;
    private bool _isOver;

    public OperationTimeout(TimeSpan limit, TimeProvider time, CancellationToken caller)
    {
        _caller = caller;
        _timer = new CancellationTokenSource(limit, time);
        _either = CancellationTokenSource.CreateLinkedTokenSource(_timer.Token, caller);
    }

    public CancellationToken Token => _either.Token;

    /// <summary>The time is up, and the caller still waits.</summary>
    public bool HasPassed => _timer.IsCancellationRequested && !_caller.IsCancellationRequested;

    /// <summary>Begins anew, with this much time.</summary>
    /// <remarks>A body may still be on its way when an early answer has ended the operation: then there is nothing left to limit.</remarks>
    public void Restart(TimeSpan limit)
    {
        lock (_timer)
            if (!_isOver)
                _timer.CancelAfter(limit);
    }

    public void Suspend() => Restart(Timeout.InfiniteTimeSpan);

    public void Dispose()
    {
        lock (_timer)
            _isOver = true;
        _either.Dispose();
        _timer.Dispose();
    }
}
