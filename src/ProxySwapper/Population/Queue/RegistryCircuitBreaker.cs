using ProxySwapper.Registry.Timing;

namespace ProxySwapper.Population.Queue;

/// <summary>
/// Registries that fail as a whole: after each failure nobody asks them for a while, then one job alone tries whether they are back.
/// So a registry that is down costs one worker a try now and then, however many images are waiting for it.
/// </summary>
internal sealed class RegistryCircuitBreaker(Backoff delay)
{
    private readonly Dictionary<RegistryKey, State> _failing = [];

    /// <summary>True while a registry's last answer to us was a failure of the whole.</summary>
    public bool IsFailing(RegistryKey lane) => _failing.ContainsKey(lane);

    /// <summary>
    /// Whether a job may ask the registry now; when not, <paramref name="opensAt"/> is the time, or null while another job tries.
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

    /// <summary>A job sets out to ask a registry.</summary>
    public void Asks(RegistryKey lane)
    {
        if (_failing.TryGetValue(lane, out var state))
            state.IsBeingTried = true;
    }

    /// <summary>A job that asked has ended without a word on the registry as a whole.</summary>
    public void Leaves(RegistryKey lane)
    {
        if (_failing.TryGetValue(lane, out var state))
            state.IsBeingTried = false;
    }

    /// <summary>The registry answered.</summary>
    public void Answered(RegistryKey lane) => _failing.Remove(lane);

    /// <summary>The registry failed; the number of failures in a row.</summary>
    public int Failed(RegistryKey lane, TimeSpan? retryAfter, DateTimeOffset now)
    {
        if (!_failing.TryGetValue(lane, out var state))
            _failing[lane] = state = new State();
        state.IsBeingTried = false;
        // Jobs that were under way together fail together: that is one failure.
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
