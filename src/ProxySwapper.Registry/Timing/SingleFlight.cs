namespace ProxySwapper.Registry.Timing;

/// <summary>
/// Runs a piece of work once for all concurrent callers. A caller that stops waiting does not cancel it for others, so the work needs its
/// own timeout. Results and exceptions are not kept for later callers. Thread-safe.
/// </summary>
/// <typeparam name="TKey">Identifies a piece of work.</typeparam>
/// <typeparam name="TResult">The result.</typeparam>
public sealed class SingleFlight<TKey, TResult>
    where TKey : notnull
{
    private readonly Lock _gate = new();
    private readonly Dictionary<TKey, Task<TResult>> _running = [];

    /// <summary>The result of the running work, or of the work that this call starts.</summary>
    /// <param name="key">The piece of work.</param>
    /// <param name="work">The work; called on another thread, outside any lock, and without a caller's token.</param>
    /// <param name="cancellationToken">Cancels the waiting, not the work.</param>
    public Task<TResult> RunAsync(TKey key, Func<Task<TResult>> work, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (!_running.TryGetValue(key, out var task))
                _running[key] = task = Task.Run(() => RunAsync(key, work), CancellationToken.None);
            return task.WaitAsync(cancellationToken);
        }
    }

    private async Task<TResult> RunAsync(TKey key, Func<Task<TResult>> work)
    {
        try
        {
            return await work();
        }
        finally
        {
            lock (_gate)
                _running.Remove(key);
        }
    }
}
