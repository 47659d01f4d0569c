using ProxySwapper.Configuration;

namespace ProxySwapper.Population.Queue;

/// <summary>
/// Selects the waiting job that runs next, using the slow lane and the registries' circuit breakers as described at
/// <see cref="PopulationQueue"/>. Used under the queue's lock.
/// </summary>
internal sealed class JobSelector(Func<PopulateOptions> options, RegistryCircuitBreaker registries)
{
    private bool _wasSlow;

    /// <summary>The circuit breakers of registries.</summary>
    public RegistryCircuitBreaker Registries { get; } = registries;

    /// <summary>How many slow jobs may run at once: with several workers, one stays free for others.</summary>
    public int SlowLaneWidth => Math.Max(1, options().MaxNumberOfParallelJobs - 1);

    /// <summary>The next job or, if none may run, the time at which that may change.</summary>
    public PopulationJob? Next(
        IEnumerable<PopulationJob> waiting,
        IReadOnlyCollection<PopulationJob> running,
        DateTimeOffset now,
        out DateTimeOffset? wake
    )
    {
        wake = null;
        if (running.Count >= options().MaxNumberOfParallelJobs)
            return null;
        var slowIsFree = running.Count(job => job.RunsInSlowLane) < SlowLaneWidth;
        PopulationJob? quick = null,
            slow = null;
        foreach (var job in waiting)
        {
            if (job.ReadyAt > now)
            {
                wake = Earlier(wake, job.ReadyAt);
                break;
            }
            if (!MayAskAll(job, now, ref wake))
                continue;
            var isSlow = IsSlow(job);
            if (isSlow && !slowIsFree)
                continue;
            if (job.Waiters > 0)
                return job;
            if (isSlow)
                slow ??= job;
            else
                quick ??= job;
        }
        // The job that has been ready longest goes first; with a single worker, slow jobs alternate with others.
        if (quick is null || slow is null)
            return quick ?? slow;
        if (_wasSlow && options().MaxNumberOfParallelJobs == 1)
            return quick;
        return (slow.ReadyAt, slow.Sequence).CompareTo((quick.ReadyAt, quick.Sequence)) < 0 ? slow : quick;
    }

    /// <summary>Whether a job starting now runs in the slow lane.</summary>
    public bool Started(PopulationJob job) => _wasSlow = IsSlow(job);

    private bool MayAskAll(PopulationJob job, DateTimeOffset now, ref DateTimeOffset? wake)
    {
        foreach (var lane in job.Lanes)
        {
            if (Registries.MayAsk(lane, now, out var opensAt))
                continue;
            if (opensAt is { } opens)
                wake = Earlier(wake, opens);
            return false;
        }
        return true;
    }

    private bool IsSlow(PopulationJob job) => job.IsLarge || job.Failures > 0 || job.Lanes.Any(Registries.IsFailing);

    private static DateTimeOffset? Earlier(DateTimeOffset? one, DateTimeOffset other) => one < other ? one : other;
}
