namespace ProxySwapper.Registry.Transport;

/// <summary>Starts requests at an even pace, so that no second exceeds the limit.</summary>
internal sealed class RequestRateLimiter(double perSecond, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly TimeSpan _step = TimeSpan.FromSeconds(1 / perSecond);
    private readonly long _start = time.GetTimestamp();
    private TimeSpan _next;

    /// <summary>Waits for this request's turn, in order of arrival.</summary>
    public Task WaitAsync(CancellationToken cancellationToken)
    {
        TimeSpan wait;
        lock (_gate)
        {
            var now = time.GetElapsedTime(_start);
            var turn = _next > now ? _next : now;
            (wait, _next) = (turn - now, turn + _step);
        }
        return wait > TimeSpan.Zero ? Task.Delay(wait, time, cancellationToken) : Task.CompletedTask;
    }
}
