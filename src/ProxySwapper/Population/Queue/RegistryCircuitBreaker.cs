using ProxySwapper.Registry.Timing;

namespace ProxySwapper.Population.Queue;

/// <summary>
/// Circuit breakers for registries that fail as a whole: after each failure there is a pause, then a single job tries again. A registry
/// that is down thus costs one worker an occasional attempt, however many images wait for it.
/// </summary>
internal sealed class RegistryCircuitBreaker(Backoff delay)
{
    /// <summary>Hosts come from outside: beyond these, those whose pause is over are forgotten.</summary>
    private const int Capacity = 10_000;

    private readonly Dictionary<RegistryKey, State> _failing = [];

    /// <summary>True while a registry's last result was a failure of the whole registry.</summary>
    public bool IsFailing(RegistryKey lane) => _failing.ContainsKey(lane);

    /// <summary>
    /// Whether a job may use the registry now; if not, <paramref name="opensAt"/> is the time when it may, or null while another job tries.
    /// </summary>
    public bool MayAsk(RegistryKey lane, DateTimeOffset now, out DateTimeOffset? opensAt)
    {
        opensAt = null;
        if (!_failing.TryGetValue(lane, out var state))
            return true;
        if (state.IsBeingTried)
            return false;
        if (state.Until <= now)
            return true;
        opensAt = state.Until;
        return false;
    }

    /// <summary>A job starts using a registry.</summary>
    public void Asks(RegistryKey lane)
    {
        if (_failing.TryGetValue(lane, out var state))
            state.IsBeingTried = true;
    }

    /// <summary>A job ended without a result for the registry as a whole.</summary>
    public void Leaves(RegistryKey lane)
    {
        if (_failing.TryGetValue(lane, out var state))
            state.IsBeingTried = false;
    }

    /// <summary>The registry responded.</summary>
    public void Answered(RegistryKey lane) => _failing.Remove(lane);

    /// <summary>The registry failed; returns the number of consecutive failures.</summary>
    public int Failed(RegistryKey lane, TimeSpan? retryAfter, DateTimeOffset now)
    {
        if (!_failing.TryGetValue(lane, out var state))
        {
            if (_failing.Count >= Capacity)
                foreach (var (old, _) in _failing.Where(entry => entry.Value.Until <= now && !entry.Value.IsBeingTried).ToList())
                    _failing.Remove(old);
            _failing[lane] = state = new State();
        }
        state.IsBeingTried = false;
        // Jobs that ran concurrently fail together, which counts as one failure.
        if (state.Until <= now)
        {
            state.Failures++;
            state.Until = now + delay.After(state.Failures, retryAfter);
        }
        else if (retryAfter is { } asked && now + asked > state.Until)
        {
            state.Until = now + asked;
        }
        return state.Failures;
    }

    private sealed class State
    {
        public int Failures { get; set; }
        public DateTimeOffset Until { get; set; }
        public bool IsBeingTried { get; set; }
    }
}
