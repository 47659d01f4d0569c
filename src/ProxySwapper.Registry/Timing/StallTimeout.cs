namespace ProxySwapper.Registry.Timing;

/// <summary>
/// Limits how long a stream may stall, trickle or crawl. Only time spent waiting for the stream counts: it must transfer enough bytes in
/// each interval and, after the first one, a minimum number of bytes per second on average.
/// </summary>
/// <param name="limit">The length of an interval.</param>
/// <param name="minThroughput">The minimum average throughput in bytes per second; 0 for none.</param>
/// <param name="time">The clock.</param>
/// <param name="enough">The number of bytes to transfer in each interval; 1 for streams of events, which are silent between them.</param>
public sealed class StallTimeout(TimeSpan limit, long minThroughput, TimeProvider time, int enough = 64 * 1024) : IDisposable
{
    private readonly TimeSpan _limit = limit;
    private CancellationTokenSource? _timer;
    private CancellationTokenSource? _either;
    private CancellationToken _caller;
    private TimeSpan _left = limit;
    private int _moved;
    private TimeSpan _waited;
    private long _total;

    private TimeSpan Left => _left > TimeSpan.Zero ? _left : TimeSpan.Zero;

    private string StallReason =>
        enough == 1 ? $"no data for {_limit.TotalSeconds:0} s" : $"less than {enough / 1024} KiB transferred in {_limit.TotalSeconds:0} s";

    /// <summary>Reads from a stream.</summary>
    /// <exception cref="StalledStreamException">Not enough was transferred in an interval.</exception>
    /// <exception cref="SlowStreamException">The stream is too slow overall.</exception>
    /// <exception cref="IOException">The stream broke.</exception>
    public async ValueTask<int> ReadAsync(Stream stream, Memory<byte> buffer, CancellationToken caller)
    {
        var started = Begin(caller);
        int read;
        try
        {
            read = await stream.ReadAsync(buffer, _either!.Token);
        }
        catch (OperationCanceledException) when (!caller.IsCancellationRequested)
        {
            // Without its cause, a cancelled read, which says less and would be what callers report.
            throw new StalledStreamException(StallReason);
        }
        _timer!.CancelAfter(Timeout.InfiniteTimeSpan);
        Count(started, read);
        return read;
    }

    /// <summary>Writes to a server. Its stream ignores the token of a single write, so the request's own timeout ends the write.</summary>
    /// <exception cref="SlowStreamException">The stream is too slow overall.</exception>
    public async ValueTask WriteAsync(Stream stream, ReadOnlyMemory<byte> buffer, OperationTimeout request, CancellationToken caller)
    {
        var started = time.GetTimestamp();
        request.Restart(Left, StallReason);
        await stream.WriteAsync(buffer, caller);
        Suspend(request);
        Count(started, buffer.Length);
    }

    /// <summary>Pauses the limit while waiting for others, which have their own limits.</summary>
    public void Suspend(OperationTimeout request) => request.Restart(Timeout.InfiniteTimeSpan, StallReason);

    /// <summary>Everything was written: limits the wait for the response.</summary>
    public static void AwaitResponse(OperationTimeout request, TimeSpan responseTimeout) =>
        request.Restart(responseTimeout, $"no response within {responseTimeout.TotalSeconds:0} s after the content was sent");

    /// <inheritdoc />
    public void Dispose()
    {
        _either?.Dispose();
        _timer?.Dispose();
    }

    private long Begin(CancellationToken caller)
    {
        if (_timer is null || _either is null || _caller != caller || _timer.IsCancellationRequested)
        {
            Dispose();
            (_timer, _caller) = (new CancellationTokenSource(Timeout.InfiniteTimeSpan, time), caller);
            _either = CancellationTokenSource.CreateLinkedTokenSource(_timer.Token, caller);
        }
        _timer.CancelAfter(Left);
        return time.GetTimestamp();
    }

    private void Count(long started, int moved)
    {
        var elapsed = time.GetElapsedTime(started);
        (_left, _waited) = (_left - elapsed, _waited + elapsed);
        (_moved, _total) = (_moved + moved, _total + moved);
        if (_moved >= enough)
            (_left, _moved) = (_limit, 0);
        if (moved > 0 && _waited > _limit && _total < minThroughput * _waited.TotalSeconds)
            throw new SlowStreamException(
                $"too slow: {_total} bytes in {_waited.TotalSeconds:0} s, at least {minThroughput} bytes per second are required"
            );
    }
}

/// <summary>A stream is too slow overall, so that restarting would not help.</summary>
public sealed class SlowStreamException(string message) : IOException(message);

/// <summary>A stream transferred too little for too long. Restarting may help.</summary>
public sealed class StalledStreamException(string message) : IOException(message);
