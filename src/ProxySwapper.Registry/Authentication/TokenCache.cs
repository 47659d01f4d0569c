namespace ProxySwapper.Registry.Authentication;

/// <summary>The tokens of one registry. A token that is missing is fetched once, however many wait for it.</summary>
internal sealed class TokenCache(TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<TokenKey, Task<BearerToken>> _tokens = [];

    /// <summary>A token that can be used now, without fetching; null when there is none.</summary>
    public BearerToken? Find(TokenKey key)
    {
        lock (_gate)
            return _tokens.TryGetValue(key, out var task) && task.IsCompletedSuccessfully && IsUsable(task.Result) ? task.Result : null;
    }

    /// <summary>The token of this key, from the cache, from a fetch that is under way, or from a new one.</summary>
    /// <remarks>The fetch goes on when the one who waits gives up, for the others who wait; it has its own deadline.</remarks>
    public Task<BearerToken> GetAsync(TokenKey key, Func<TokenKey, Task<BearerToken>> fetch, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (!_tokens.TryGetValue(key, out var task) || task.IsCompleted && !(task.IsCompletedSuccessfully && IsUsable(task.Result)))
            {
                // What has ended goes at once: its key holds the credential, which may be a Pod's own.
                Purge();
                _tokens[key] = task = Task.Run(() => fetch(key), CancellationToken.None);
            }
            return task.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Forgets a token that a registry refused, unless another one took its place already.</summary>
    public void Drop(TokenKey key, BearerToken refused)
    {
        lock (_gate)
            if (_tokens.TryGetValue(key, out var task) && task.IsCompletedSuccessfully && task.Result == refused)
                _tokens.Remove(key);
    }

    private bool IsUsable(BearerToken token) => time.GetUtcNow() < token.UsableUntil;

    private void Purge()
    {
        foreach (var (key, task) in _tokens.ToArray())
            if (task.IsCompleted && !(task.IsCompletedSuccessfully && IsUsable(task.Result)))
                _tokens.Remove(key);
    }
}
