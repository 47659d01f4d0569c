namespace ProxySwapper.Population.Queue;

/// <summary>Wakes all waiters on a change or at a time.</summary>
internal sealed class AsyncSignal(TimeProvider time)
{
    /// <summary>Waiters check again after this time, since timers are limited to 49 days.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromDays(1);

    private volatile TaskCompletionSource _next = New();

    /// <summary>Completes with the next change. Take it before reading the state, so that no change is missed.</summary>
    public Task Next => _next.Task;

    public void Raise() => Interlocked.Exchange(ref _next, New()).TrySetResult();

    /// <summary>Waits for a change or until a time.</summary>
    public async Task WaitAsync(Task change, DateTimeOffset? until, CancellationToken cancellationToken)
    {
        if (until is not { } end)
        {
            await change.WaitAsync(cancellationToken);
            return;
        }
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var pause = end - time.GetUtcNow();
        pause =
            pause <= TimeSpan.Zero ? TimeSpan.Zero
            : pause < Longest ? pause
            : Longest;
        await Task.WhenAny(change, Task.Delay(pause, time, either.Token));
        await either.CancelAsync();
        cancellationToken.ThrowIfCancellationRequested();
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
