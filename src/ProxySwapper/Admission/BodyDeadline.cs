using System.Collections.Concurrent;

namespace ProxySwapper.Admission;

/// <summary>Tokens that are cancelled when a body takes too long, used again and again: a timer for each request would cost more than its review.</summary>
internal sealed class BodyDeadline(TimeSpan limit, TimeProvider time)
{
    /// <summary>About as many as there are requests at a moment; what is beyond is thrown away.</summary>
    private const int MaximumIdle = 64;

    private readonly ConcurrentBag<CancellationTokenSource> _idle = [];

    public CancellationTokenSource Start()
    {
        if (!_idle.TryTake(out var source)) return new CancellationTokenSource(limit, time);
        source.CancelAfter(limit);
        return source;
    }

    public void End(CancellationTokenSource source)
    {
        if (source.TryReset() && _idle.Count < MaximumIdle) _idle.Add(source);
        else source.Dispose();
    }
}
