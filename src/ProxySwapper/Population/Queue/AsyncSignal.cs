namespace ProxySwapper.Population.Queue;

/// <summary>Wakes all waiters on a change or after a pause.</summary>
internal sealed class AsyncSignal(TimeProvider time)
{
    /// <summary>Waiters check again after this time, since timers are limited to 49 days.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromDays(1);

    private volatile TaskCompletionSource _next = New();

    /// <summary>Completes with the next change. Take it before reading the state, so that no change is missed.</summary>
    public Task Next => _next.Task;

    public void Raise() => Interlocked.Exchange(ref _next, New()).TrySetResult();

    /// <summary>Waits for a change or for a pause, whichever is shorter.</summary>
    public async Task WaitAsync(Task change, TimeSpan? pause, CancellationToken cancellationToken)
    {
        if (pause is not { } longest)
        {
            await change.WaitAsync(cancellationToken);
            return;
        }
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        longest =
            longest <= TimeSpan.Zero ? TimeSpan.Zero
            : longest < Longest ? longest
            : Longest;
        await Task.WhenAny(change, Task.Delay(longest, time, either.Token));
        await either.CancelAsync();
        cancellationToken.ThrowIfCancellationRequested();
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
