using ProxySwapper.Registry.Credentials;
using ProxySwapper.Registry.Timing;

namespace ProxySwapper.Registry.Authentication;

/// <summary>The tokens of one registry. A missing token is fetched once, however many requests wait for it.</summary>
internal sealed class TokenCache(TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<TokenKey, BearerToken> _tokens = [];
    private readonly SingleFlight<TokenKey, BearerToken> _fetches = new();

    /// <summary>A cached token that is still usable; null if there is none.</summary>
    public BearerToken? Find(TokenKey key)
    {
        lock (_gate)
            return _tokens.TryGetValue(key, out var token) && IsUsable(token) ? token : null;
    }

    /// <summary>The token of this key, from the cache, from a running fetch, or from a new one.</summary>
    public async Task<BearerToken> GetAsync(TokenKey key, Func<TokenKey, Task<BearerToken>> fetch, CancellationToken cancellationToken) =>
        Find(key) ?? await _fetches.RunAsync(key, () => FetchAsync(key, fetch), cancellationToken);

    /// <summary>Removes a token that a registry rejected, unless it has already been replaced.</summary>
    public void Drop(TokenKey key, BearerToken rejected)
    {
        lock (_gate)
            if (_tokens.TryGetValue(key, out var token) && token == rejected)
                _tokens.Remove(key);
    }

    private bool IsUsable(BearerToken token) => time.GetUtcNow() < token.UsableUntil;

    private async Task<BearerToken> FetchAsync(TokenKey key, Func<TokenKey, Task<BearerToken>> fetch)
    {
        // The token may have arrived in the meantime.
        if (Find(key) is { } known)
            return known;
        var token = await fetch(key);
        lock (_gate)
        {
            // Expired tokens are removed at once: their keys contain credentials, which may be a Pod's own.
            foreach (var (other, old) in _tokens.ToArray())
                if (!IsUsable(old))
                    _tokens.Remove(other);
            _tokens[key] = token;
        }
        return token;
    }
}

/// <summary>A token with its expiry. Its text shows no secret.</summary>
internal sealed record BearerToken(string Value, DateTimeOffset UsableUntil)
{
    public override string ToString() => $"token *** until {UsableUntil:u}";
}

/// <summary>What a token is for. The credential is part of the key, so that a token is never used for another credential.</summary>
internal sealed record TokenKey(RegistryCredential Credential, Uri Realm, string? Service, string Scopes)
{
    public IReadOnlyList<string> ScopeNames => Scopes.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
