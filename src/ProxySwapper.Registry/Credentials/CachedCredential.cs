using ProxySwapper.Registry.Timing;

namespace ProxySwapper.Registry.Credentials;

/// <summary>A credential with its expiry; the lack of a credential is cached for a while too.</summary>
internal readonly record struct RenewableCredential(RegistryCredential? Credential, DateTimeOffset EndsAt);

/// <summary>
/// Caches a cloud's credential until shortly before it expires. Concurrent callers share one call; a failure is only reported to those
/// waiting, and a renewal that fails or hangs does not matter while the old credential is valid.
/// </summary>
internal sealed class CachedCredential(TimeProvider time, Func<CancellationToken, Task<RenewableCredential>> fetch)
{
    /// <summary>How long before expiry a credential is renewed: a copy that starts with it must be able to finish.</summary>
    private static readonly TimeSpan Margin = TimeSpan.FromMinutes(2);

    /// <summary>How long a cloud may take, including its client's retries.</summary>
    private static readonly TimeSpan FetchTimeout = TimeSpan.FromSeconds(60);

    /// <summary>
    /// How long a caller waits for a renewal while the old credential is valid: less than a review may wait for a registry. When it takes
    /// longer, it continues in the background for as long as it may take.
    /// </summary>
    private static readonly TimeSpan RenewalWait = TimeSpan.FromSeconds(1);

    /// <summary>
    /// A credential rejected this soon after the previous one is not replaced: without permission, the next one would be rejected too.
    /// </summary>
    private static readonly TimeSpan RenewalPause = TimeSpan.FromSeconds(30);

    private readonly Lock _gate = new();
    private readonly SingleFlight<CachedCredential, RenewableCredential> _fetches = new();
    private RenewableCredential? _current;
    private DateTimeOffset _renewed = DateTimeOffset.MinValue;
    private DateTimeOffset _isSlowUntil = DateTimeOffset.MinValue;

    public async ValueTask<RegistryCredential?> GetAsync(CancellationToken cancellationToken)
    {
        RenewableCredential? old;
        lock (_gate)
        {
            var now = time.GetUtcNow();
            old = _current is { } current && current.EndsAt > now ? current : null;
            if (old is { } good && (good.Credential is null || good.EndsAt - Margin > now || _isSlowUntil > now))
                return good.Credential;
        }
        var fetching = _fetches.RunAsync(this, FetchAsync, cancellationToken);
        if (old?.Credential is not { } usable)
            return (await fetching).Credential;
        try
        {
            return (await fetching.WaitAsync(RenewalWait, time, cancellationToken)).Credential;
        }
        catch (RegistryCredentialException)
        {
            return usable;
        }
        catch (TimeoutException)
        {
            lock (_gate)
                _isSlowUntil = time.GetUtcNow() + FetchTimeout;
            return usable;
        }
    }

    /// <summary>Another credential than the rejected one, or the same if there is no other yet.</summary>
    public ValueTask<RegistryCredential?> RenewAsync(RegistryCredential rejected, CancellationToken cancellationToken)
    {
        lock (_gate)
            if (_current?.Credential == rejected && time.GetUtcNow() - _renewed >= RenewalPause)
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
                (_current, _isSlowUntil) = (fetched, DateTimeOffset.MinValue);
            return fetched;
        }
        catch (OperationCanceledException fault)
        {
            throw new RegistryCredentialException($"the cloud's credential timed out after {FetchTimeout.TotalSeconds} s", fault);
        }
    }
}
