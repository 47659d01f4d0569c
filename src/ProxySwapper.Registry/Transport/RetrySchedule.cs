using ProxySwapper.Registry.Timing;

namespace ProxySwapper.Registry.Transport;

/// <summary>When one operation is tried again: pauses that double, with jitter, or what the registry asked for.</summary>
internal sealed class RetrySchedule(RegistryOptions options)
{
    private int _tries;

    /// <summary>Failures so far.</summary>
    public int Tries => _tries;

    /// <summary>How long to wait before the next try; null when there is none.</summary>
    public TimeSpan? Next(TimeSpan? retryAfter)
    {
        // Coming back earlier than asked would be a new offence: who asks for more than the longest pause gets no retry.
        if (_tries >= options.MaxRetries || retryAfter > options.MaxRetryDelay)
            return null;
        var doubled = Backoff.Doubled(options.RetryDelay, options.MaxRetryDelay, _tries++) * (0.5 + Random.Shared.NextDouble());
        var asked = retryAfter is { } after ? after + options.RetryDelay * Random.Shared.NextDouble() : doubled;
        return asked < options.MaxRetryDelay ? asked : options.MaxRetryDelay;
    }

    /// <summary>Something worth it was achieved: the next failure is the first one again.</summary>
    public void Reset() => _tries = 0;
}
