namespace ProxySwapper.Registry.Transport;

/// <summary>
/// Limits the concurrent requests of one kind at a host. The limit halves on a 429, once for all requests hit at the same time, and grows
/// by one for each full round of successes. One lease is reserved for small requests.
/// </summary>
internal sealed class AdaptiveConcurrencyLimiter(int limit, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly LinkedList<Waiter> _waiting = [];
    private double _size = limit;
    private int _inUse;
    private int _streams;
    private long _shrunk;
    private readonly long _start = time.GetTimestamp();
    private TimeSpan _closedUntil;

    /// <summary>The current limit.</summary>
    public int Size
    {
        get
        {
            lock (_gate)
                return (int)_size;
        }
    }

    /// <summary>True if nothing is in use, and nothing waits.</summary>
    public bool IsIdle
    {
        get
        {
            lock (_gate)
                return _inUse == 0 && _waiting.Count == 0;
        }
    }

    /// <summary>Waits until a request may be sent; disposing the lease returns it.</summary>
    public async Task<Lease> EnterAsync(bool isStream, CancellationToken cancellationToken)
    {
        while (true)
        {
            while (Closed() is { } pause)
                await Task.Delay(pause, time, cancellationToken);
            var lease = await WaitAsync(isStream, cancellationToken);
            // It may have closed while this one waited for its turn.
            if (Closed() is null)
                return lease;
            lease.Dispose();
        }
    }

    private async Task<Lease> WaitAsync(bool isStream, CancellationToken cancellationToken)
    {
        Waiter waiter;
        lock (_gate)
        {
            waiter = new Waiter(new Lease(this, isStream), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            _waiting.AddLast(waiter);
            GrantWaiting();
        }
        try
        {
            await waiter.Turn.Task.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            lock (_gate)
            {
                if (!_waiting.Remove(waiter))
                    waiter.Lease.Dispose();
            }
            throw;
        }
        waiter.Lease.Entered = time.GetTimestamp();
        return waiter.Lease;
    }

    private TimeSpan? Closed()
    {
        lock (_gate)
        {
            var pause = _closedUntil - time.GetElapsedTime(_start);
            return pause > TimeSpan.Zero ? pause : null;
        }
    }

    private void GrantWaiting()
    {
        var free = Math.Max(1, (int)_size);
        var forStreams = Math.Max(1, free - 1);
        for (var node = _waiting.First; node is not null && _inUse < free; )
        {
            var (waiter, next) = (node.Value, node.Next);
            if (!waiter.Lease.IsStream || _streams < forStreams)
            {
                _waiting.Remove(node);
                _inUse++;
                if (waiter.Lease.IsStream)
                    _streams++;
                waiter.Turn.SetResult();
            }
            node = next;
        }
    }

    private void Grow()
    {
        lock (_gate)
        {
            if (_size >= limit)
                return;
            _size = Math.Min(limit, _size + 1 / _size);
            GrantWaiting();
        }
    }

    private void Shrink(long entered, TimeSpan? retryAfter)
    {
        lock (_gate)
        {
            if (retryAfter is { } pause && time.GetElapsedTime(_start) + pause is var until && until > _closedUntil)
                _closedUntil = until;
            if (entered < _shrunk)
                return;
            _size = Math.Max(1, _size / 2);
            _shrunk = time.GetTimestamp();
        }
    }

    private void Leave(bool isStream)
    {
        lock (_gate)
        {
            _inUse--;
            if (isStream)
                _streams--;
            GrantWaiting();
        }
    }

    private sealed record Waiter(Lease Lease, TaskCompletionSource Turn);

    /// <summary>The permission for one concurrent request.</summary>
    internal sealed class Lease(AdaptiveConcurrencyLimiter limiter, bool isStream) : IDisposable
    {
        private int _left;

        public bool IsStream => isStream;

        internal long Entered { get; set; }

        /// <summary>The host accepted the request.</summary>
        public void Succeeded() => limiter.Grow();

        /// <summary>The host responded with 429, perhaps with Retry-After.</summary>
        public void Throttled(TimeSpan? retryAfter) => limiter.Shrink(Entered, retryAfter);

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _left, 1) == 0)
                limiter.Leave(isStream);
        }
    }
}
