using ProxySwapper.Configuration;

namespace ProxySwapper.Population.Queue;

/// <summary>
/// Selects the waiting job that runs next, by the turns, the slow lane and the circuit breakers that <see cref="PopulationQueue"/>
/// describes. Used under the queue's lock.
/// </summary>
internal sealed class JobSelector(Func<PopulateOptions> options, RegistryCircuitBreaker breaker)
{
    private readonly RoundRobin _namespaces = new();
    private readonly RoundRobin _sources = new();
    private bool _wasSlow;

    public RegistryCircuitBreaker CircuitBreaker { get; } = breaker;

    /// <summary>What was slow recently.</summary>
    public PaceTracker Pace { get; } = new();

    private int Workers => options().MaxNumberOfParallelJobs;

    /// <summary>How many slow jobs may run at once: with several workers, one is kept free for the others.</summary>
    private int SlowLaneWidth => Math.Max(1, Workers - 1);

    /// <summary>How many of them one namespace may have.</summary>
    private int SlowLaneShare => Math.Max(1, Workers / 2);

    /// <summary>The next job, with its <see cref="PopulationJob.Tenant"/> set; if none may run, the time when that may change.</summary>
    public PopulationJob? Next(
        IEnumerable<PopulationJob> waiting,
        IReadOnlyCollection<PopulationJob> running,
        DateTimeOffset now,
        out DateTimeOffset? wake
    )
    {
        wake = null;
        if (running.Count >= Workers)
            return null;
        Candidate? quick = null,
            slow = null;
        foreach (var job in waiting)
        {
            if (job.ReadyAt > now)
            {
                wake = Earlier(wake, job.ReadyAt);
                break;
            }
            if (!IsAllowed(job, now, ref wake))
                continue;
            foreach (var tenant in job.Namespaces)
            {
                var isSlow = IsSlow(job, tenant, now);
                if (isSlow && !MayOccupyWorker(job, tenant, running))
                    continue;
                var candidate = new Candidate(job, tenant, RankOf(job, tenant));
                if (isSlow)
                    slow = slow?.Rank.CompareTo(candidate.Rank) <= 0 ? slow : candidate;
                else
                    quick = quick?.Rank.CompareTo(candidate.Rank) <= 0 ? quick : candidate;
            }
        }
        // With a single worker, slow jobs and others alternate.
        var isQuick = quick is not null && (slow is null || _wasSlow && Workers == 1 || quick.Rank.CompareTo(slow.Rank) <= 0);
        if ((isQuick ? quick : slow) is not { } next)
            return null;
        next.Job.Tenant = next.Tenant;
        return next.Job;
    }

    /// <summary>A job starts.</summary>
    /// <returns>Whether it runs in the slow lane.</returns>
    public bool Start(PopulationJob job, DateTimeOffset now)
    {
        _namespaces.TakeTurn(job.Tenant);
        _sources.TakeTurn(job.Work.Origin.Registry);
        foreach (var registry in job.Registries)
            CircuitBreaker.Started(registry);
        return _wasSlow = IsSlow(job, job.Tenant, now);
    }

    /// <summary>Whether a job may occupy a worker for long.</summary>
    public bool MayOccupyWorker(PopulationJob job, string tenant, IReadOnlyCollection<PopulationJob> running)
    {
        var slow = running.Where(other => other.RunsInSlowLane).ToList();
        if (slow.Count < SlowLaneWidth && slow.Count(other => other.Tenant == tenant) < SlowLaneShare)
            return true;
        // It only might be slow, or failed before, and its namespace runs nothing: a large image of another namespace must not delay its
        // next attempt for hours.
        return job is { IsLarge: false, WasPreempted: false }
            && !job.Registries.Any(CircuitBreaker.IsFailing)
            && running.All(other => other.Tenant != tenant);
    }

    /// <summary>
    /// A slow job of a namespace with several workers, to be preempted for a waiting namespace that has none; null if there is no such job
    /// or nobody waits. A job is preempted once.
    /// </summary>
    public PopulationJob? FindPreemptible(
        IEnumerable<PopulationJob> waiting,
        IReadOnlyCollection<PopulationJob> running,
        DateTimeOffset now
    )
    {
        // One at a time: the worker of a job that was told to stop will soon be free.
        if (running.Count < Workers || running.Any(job => job is { WasPreempted: true, Stop: null }))
            return null;
        var workers = running.CountBy(job => job.Tenant).ToDictionary();
        DateTimeOffset? wake = null;
        var isWaiting = waiting
            .TakeWhile(job => job.ReadyAt <= now)
            .Any(job =>
                job is { IsLarge: false, Failures: 0, WasPreempted: false }
                && !job.Namespaces.Any(workers.ContainsKey)
                && IsAllowed(job, now, ref wake)
            );
        return isWaiting
            ? running
                .Where(job => job is { IsOverdue: true, WasPreempted: false, Stop: not null } && workers[job.Tenant] > 1)
                .MaxBy(job => (job.StartedAt, job.Sequence))
            : null;
    }

    /// <summary>When the next running job will count as slow, without further progress.</summary>
    public static DateTimeOffset? NextOverdue(IEnumerable<PopulationJob> running) =>
        running.Where(job => !job.IsOverdue).Min(job => job.StartedAt + PaceTracker.AllowedTime(job));

    /// <summary>Whether the circuit breakers of the target and of one key of the source let a job run now.</summary>
    private bool IsAllowed(PopulationJob job, DateTimeOffset now, ref DateTimeOffset? wake)
    {
        if (!CircuitBreaker.IsAllowed(job.Target, now, out var retryAt))
        {
            wake = Earlier(wake, retryAt);
            return false;
        }
        DateTimeOffset? next = null;
        foreach (var source in job.Sources)
        {
            if (CircuitBreaker.IsAllowed(source, now, out retryAt))
                return true;
            next = Earlier(next, retryAt);
        }
        wake = Earlier(wake, next);
        return job.Sources.Count == 0;
    }

    /// <summary>Whether a job may turn out to occupy its worker for long.</summary>
    public bool IsSlow(PopulationJob job, string tenant, DateTimeOffset now) =>
        job.IsLarge
        || job.WasPreempted
        || job.Failures > 0
        || job.Registries.Any(CircuitBreaker.IsFailing)
        || Pace.MayBeSlow(job, tenant, now);

    /// <summary>Namespaces take turns; in each, jobs that are waited for go first, then registries take turns, then the oldest.</summary>
    private (long Namespace, int IsAwaited, long Source, DateTimeOffset ReadyAt, long Sequence) RankOf(PopulationJob job, string tenant) =>
        (_namespaces.LastTurn(tenant), job.Waiters > 0 ? 0 : 1, _sources.LastTurn(job.Work.Origin.Registry), job.ReadyAt, job.Sequence);

    private static DateTimeOffset? Earlier(DateTimeOffset? one, DateTimeOffset? other) => one is null || other < one ? other : one;

    private sealed record Candidate(
        PopulationJob Job,
        string Tenant,
        (long Namespace, int IsAwaited, long Source, DateTimeOffset ReadyAt, long Sequence) Rank
    );
}

/// <summary>
/// Round-robin by name: the one with the longest time since its last turn is next. Bounded, since names are external: if there are
/// too many, all start over. Used under the queue's lock.
/// </summary>
internal sealed class RoundRobin
{
    private const int Capacity = 10_000;

    private readonly Dictionary<string, long> _last = new(StringComparer.Ordinal);
    private long _now;

    /// <summary>When a name last had its turn; 0 if unknown.</summary>
    public long LastTurn(string name) => _last.GetValueOrDefault(name);

    public void TakeTurn(string name)
    {
        if (_last.Count >= Capacity)
            _last.Clear();
        _last[name] = ++_now;
    }
}
