namespace ProxySwapper.Registry.Timing;

/// <summary>
/// Limits how long a stream may stand still, or drip. Only the time counts that is spent waiting for the stream, and it must move
/// <see cref="Enough"/> bytes in each stretch of that time.
/// </summary>
internal sealed class StallTimeout : IDisposable
{
    private const int Enough = 64 * 1024;
    private readonly TimeSpan _limit;
    private readonly TimeProvider _time;
    private CancellationTokenSource? _timer;
    private CancellationTokenSource? _either;
    private CancellationToken _caller;
    private TimeSpan _left;
    private int _moved;

    public StallTimeout(TimeSpan limit, TimeProvider time) => (_limit, _left, _time) = (limit, limit, time);

    private TimeSpan Left => _left > TimeSpan.Zero ? _left : TimeSpan.Zero;

    /// <exception cref="IOException">The stream broke, or the patience ended.</exception>
    public async ValueTask<int> ReadAsync(Stream stream, Memory<byte> buffer, CancellationToken caller)
    {
        var started = Begin(caller);
        try
        {
            var read = await stream.ReadAsync(buffer, _either!.Token);
            End(started, read);
            return read;
        }
        catch (OperationCanceledException fault) when (!caller.IsCancellationRequested)
        {
            throw StoodStill(fault);
        }
    }

    /// <summary>A stream to a server, which ignores the token of a single write: it is the request's deadline that ends it.</summary>
    public async ValueTask WriteAsync(Stream stream, ReadOnlyMemory<byte> buffer, OperationTimeout request, CancellationToken caller)
    {
        var started = _time.GetTimestamp();
        request.Restart(Left);
        await stream.WriteAsync(buffer, caller);
        request.Suspend();
        Count(started, buffer.Length);
    }

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
            (_timer, _caller) = (new CancellationTokenSource(Timeout.InfiniteTimeSpan, _time), caller);
            _either = CancellationTokenSource.CreateLinkedTokenSource(_timer.Token, caller);
        }
        _timer.CancelAfter(Left);
        return _time.GetTimestamp();
    }

    private void End(long started, int moved)
    {
        _timer!.CancelAfter(Timeout.InfiniteTimeSpan);
        Count(started, moved);
    }

    private void Count(long started, int moved)
    {
        _left -= _time.GetElapsedTime(started);
        _moved += moved;
        if (_moved < Enough)
            return;
        (_left, _moved) = (_limit, 0);
    }

    /// <summary>What is said when the patience has ended.</summary>
    public static string Describe(TimeSpan limit) => $"less than {Enough / 1024} KiB came through in {limit.TotalSeconds:0} s";

    private IOException StoodStill(Exception fault) => new(Describe(_limit), fault);
}
