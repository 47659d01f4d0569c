using ProxySwapper.Registry.Timing;

namespace ProxySwapper.Registry.Transport;

/// <summary>The retries of one operation: pauses double, with jitter, or follow the registry's Retry-After.</summary>
internal sealed class RetrySchedule(RegistryOptions options)
{
    private int _tries;

    /// <summary>Failures so far.</summary>
    public int Tries => _tries;

    /// <summary>How long to wait before the next attempt; null to give up.</summary>
    public TimeSpan? Next(TimeSpan? retryAfter)
    {
        // Retrying earlier than requested would be rude: if the registry asks for more than the longest pause, there is no retry.
        if (_tries >= options.MaxRetries || retryAfter > options.MaxRetryDelay)
            return null;
        var doubled = Backoff.Jittered(Backoff.Doubled(options.RetryDelay, options.MaxRetryDelay, _tries++), Random.Shared.NextDouble);
        var pause = retryAfter is { } after ? after + options.RetryDelay * Random.Shared.NextDouble() : doubled;
        return pause < options.MaxRetryDelay ? pause : options.MaxRetryDelay;
    }

    /// <summary>Resets the failures after progress.</summary>
    public void Reset() => _tries = 0;
}
