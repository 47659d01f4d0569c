using ProxySwapper.Registry.Timing;

namespace ProxySwapper.Registry.Credentials;

/// <summary>A credential and when it ends; no credential at all is known for a while too.</summary>
internal readonly record struct RenewableCredential(RegistryCredential? Credential, DateTimeOffset EndsAt);

/// <summary>
/// Keeps what a cloud gave until shortly before it ends. Whoever asks meanwhile waits for the same call; a failure is told to those who
/// wait and to nobody later, and while the old credential still holds a failed renewal hurts nobody.
/// </summary>
internal sealed class CachedCredential(TimeProvider time, Func<CancellationToken, Task<RenewableCredential>> fetch)
{
    /// <summary>How long before its end a credential is renewed: a copy that begins with it must get to its end.</summary>
    private static readonly TimeSpan Margin = TimeSpan.FromMinutes(2);

    /// <summary>How long a cloud may take, its client's retries included.</summary>
    private static readonly TimeSpan FetchTimeout = TimeSpan.FromSeconds(60);

    /// <summary>
    /// A credential that is refused so soon after another one was is not replaced: who may not do a thing may not do it with the next one
    /// either.
    /// </summary>
    private static readonly TimeSpan RenewalPause = TimeSpan.FromSeconds(30);

    private readonly Lock _gate = new();
    private readonly SingleFlight<CachedCredential, RenewableCredential> _fetches = new();
    private RenewableCredential? _current;
    private DateTimeOffset _renewed = DateTimeOffset.MinValue;

    public async ValueTask<RegistryCredential?> GetAsync(CancellationToken cancellationToken)
    {
        RenewableCredential? old;
        lock (_gate)
        {
            var now = time.GetUtcNow();
            old = _current is { } current && current.EndsAt > now ? current : null;
            if (old is { } good && (good.Credential is null || good.EndsAt - Margin > now))
                return good.Credential;
        }
        try
        {
            return (await _fetches.RunAsync(this, FetchAsync, cancellationToken)).Credential;
        }
        catch (RegistryCredentialException) when (old is { Credential: not null })
        {
            return old.Value.Credential;
        }
    }

    /// <summary>Another credential than the refused one, or the same when there is no other yet.</summary>
    public ValueTask<RegistryCredential?> RenewAsync(RegistryCredential refused, CancellationToken cancellationToken)
    {
        lock (_gate)
            if (_current?.Credential == refused && time.GetUtcNow() - _renewed >= RenewalPause)
                (_current, _renewed) = (null, time.GetUtcNow());
        return GetAsync(cancellationToken);
    }

    private async Task<RenewableCredential> FetchAsync()
    {
        using var timeout = new OperationTimeout(FetchTimeout, time, CancellationToken.None);
        try
        {
            var fetched = await fetch(timeout.Token);
            lock (_gate)
                _current = fetched;
            return fetched;
        }
        catch (OperationCanceledException fault)
        {
            throw new RegistryCredentialException($"the cloud gave no credential within {FetchTimeout.TotalSeconds} s", fault);
        }
    }
}
