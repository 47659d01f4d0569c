namespace ProxySwapper.Registry.Timing;

/// <summary>
/// Does a piece of work once for all who ask for it while it is under way. Who gives up waiting ends it for nobody else, so the work needs
/// a limit of its own. What it gave or threw is kept for nobody who asks later. Safe for many threads.
/// </summary>
/// <typeparam name="TKey">What tells one piece of work from another.</typeparam>
/// <typeparam name="TResult">What it gives.</typeparam>
public sealed class SingleFlight<TKey, TResult>
    where TKey : notnull
{
    private readonly Lock _gate = new();
    private readonly Dictionary<TKey, Task<TResult>> _running = [];

    /// <summary>The result of the work that is under way, or of the work that this call begins.</summary>
    /// <param name="key">The piece of work.</param>
    /// <param name="work">Does it; called on another thread, outside of any lock, and with no token of a caller.</param>
    /// <param name="cancellationToken">Ends the waiting, and not the work.</param>
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
