using ProxySwapper.Population.Work;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Timing;

namespace ProxySwapper.Population.Queue;

/// <summary>
/// Circuit breakers for registries that fail as a whole: after each failure there is a pause, then a single job tries again. A registry
/// that is down thus costs one worker an occasional attempt, however many images wait for it.
/// </summary>
internal sealed class RegistryCircuitBreaker(Backoff delay)
{
    /// <summary>Hosts are external names: beyond this number, those whose pause is over are forgotten.</summary>
    private const int Capacity = 10_000;

    private readonly Dictionary<RegistryKey, State> _failing = [];

    /// <summary>True while the last result of one of a job's registries was a failure of the whole registry.</summary>
    public bool IsAnyFailing(PopulationJob job) => _failing.Count > 0 && job.Registries.Any(_failing.ContainsKey);

    /// <summary>
    /// Whether a job may use the registry now; if not, <paramref name="retryAt"/> is the time when it may, or null while another job tries.
    /// </summary>
    public bool IsAllowed(RegistryKey registry, DateTimeOffset now, out DateTimeOffset? retryAt)
    {
        retryAt = null;
        if (!_failing.TryGetValue(registry, out var state))
            return true;
        if (state.IsBeingTried)
            return false;
        if (state.Until <= now)
            return true;
        retryAt = state.Until;
        return false;
    }

    /// <summary>A job starts using a registry.</summary>
    public void Started(RegistryKey registry)
    {
        if (_failing.TryGetValue(registry, out var state))
            state.IsBeingTried = true;
    }

    /// <summary>A job ended without a result for the registry as a whole.</summary>
    public void Ended(RegistryKey registry)
    {
        if (_failing.TryGetValue(registry, out var state))
            state.IsBeingTried = false;
    }

    /// <summary>The registry responded.</summary>
    public void Responded(RegistryKey registry) => _failing.Remove(registry);

    /// <summary>The registry failed; returns the number of consecutive failures.</summary>
    public int Failed(RegistryKey registry, TimeSpan? retryAfter, DateTimeOffset now)
    {
        if (!_failing.TryGetValue(registry, out var state))
        {
            if (_failing.Count >= Capacity)
                foreach (var (old, _) in _failing.Where(entry => entry.Value.Until <= now && !entry.Value.IsBeingTried).ToList())
                    _failing.Remove(old);
            _failing[registry] = state = new State();
        }
        state.IsBeingTried = false;
        // Jobs that ran concurrently fail together, which counts as one failure.
        if (state.Until <= now)
        {
            state.Failures++;
            state.Until = now + delay.After(state.Failures, retryAfter);
        }
        else if (retryAfter is { } wait && now + wait > state.Until)
        {
            state.Until = now + wait;
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

/// <summary>
/// A registry as one party uses it: the whole program, or a namespace with its own secrets, since rate limits are per user.
/// </summary>
/// <param name="Registry">The registry.</param>
/// <param name="Namespace">The namespace with its own secrets, or null.</param>
internal sealed record RegistryKey(RegistryName Registry, string? Namespace)
{
    /// <summary>The keys of the source of work; none if source and target are the same registry.</summary>
    public static IReadOnlyList<RegistryKey> SourcesOf(PopulationWork work, IReadOnlyList<PodOrigin> origins) =>
        work.Origin.Registry == work.Target.Registry
            ? []
            :
            [
                .. origins
                    .Select(origin => new RegistryKey(work.Origin.Registry, origin.PullSecrets.Count > 0 ? origin.Namespace : null))
                    .Distinct(),
            ];
}
