using ProxySwapper.Rules;

namespace ProxySwapper.Population.Queue;

/// <summary>
/// Selects the waiting job that runs next, by the turns, the limits of slow jobs and the circuit breakers that
/// <see cref="PopulationQueue"/> describes. Used under the queue's lock.
/// </summary>
internal sealed class JobSelector(ConfigurationMonitor rules, RegistryCircuitBreaker breaker)
{
    private readonly NamespaceTurns _namespaces = new();
    private readonly RoundRobin _sources = new();
    private bool _wasSlow;

    public RegistryCircuitBreaker CircuitBreaker { get; } = breaker;

    /// <summary>What was slow recently.</summary>
    public PaceTracker Pace { get; } = new();

    private int Workers => rules.Current.Options.Populate.MaxNumberOfParallelJobs;

    /// <summary>How many slow jobs may run at once: with several workers, one is kept free for the others.</summary>
    private int SlowJobLimit => Math.Max(1, Workers - 1);

    /// <summary>
    /// How many of them one namespace may have, and how many workers it keeps while others wait: less than half, so that the others' images
    /// take less than twice as long.
    /// </summary>
    private int Share => Math.Max(1, (Workers - 1) / 2);

    /// <summary>How many workers a namespace leaves to others even while nobody waits, if there are enough.</summary>
    private int Reserve => Workers >= 4 ? 1 : 0;

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
        var workers = running.CountBy(job => job.Tenant).ToDictionary();
        var candidates = new List<Candidate>();
        foreach (var job in waiting)
        {
            if (job.ReadyAt > now)
            {
                wake = Earlier(wake, job.ReadyAt);
                break;
            }
            if (!IsAllowed(job, now, ref wake))
                continue;
            for (var index = 0; index < job.Namespaces.Count; index++)
            {
                var tenant = job.Namespaces[index];
                if (Reserve > 0 && workers.GetValueOrDefault(tenant) >= Workers - Reserve)
                    continue;
                var isSlow = IsSlow(job, tenant, now);
                if (!isSlow || MayOccupyWorker(job, tenant, running))
                    candidates.Add(new(job, tenant, isSlow));
            }
        }
        _namespaces.Observe(running, candidates.Select(candidate => candidate.Tenant), now);
        var quick = candidates.Where(candidate => !candidate.IsSlow).MinBy(RankOf);
        var slow = candidates.Where(candidate => candidate.IsSlow).MinBy(RankOf);
        // With a single worker, slow jobs and others alternate.
        var isQuick = quick is not null && (slow is null || _wasSlow && Workers == 1 || RankOf(quick).CompareTo(RankOf(slow)) <= 0);
        if ((isQuick ? quick : slow) is not { } next)
            return null;
        next.Job.Tenant = next.Tenant;
        return next.Job;
    }

    /// <summary>A job starts.</summary>
    /// <returns>Whether it counts as slow.</returns>
    public bool Start(PopulationJob job, DateTimeOffset now)
    {
        _namespaces.TakeTurn(job.Tenant);
        _sources.TakeTurn(job.Work.Origin.Registry.Text);
        foreach (var registry in job.Registries)
            CircuitBreaker.Started(registry);
        return _wasSlow = IsSlow(job, job.Tenant, now);
    }

    /// <summary>A running job ends, with whatever result.</summary>
    public void End(PopulationJob job, IReadOnlyCollection<PopulationJob> running, DateTimeOffset now) =>
        _namespaces.End(job, running, now);

    /// <summary>Whether a job may occupy a worker for long.</summary>
    public bool MayOccupyWorker(PopulationJob job, string tenant, IReadOnlyCollection<PopulationJob> running)
    {
        var slow = running.Where(other => other.CountsAsSlow).ToList();
        if (slow.Count < SlowJobLimit && slow.Count(other => other.Tenant == tenant) < Share)
            return true;
        // It only might be slow, or failed before, and its namespace runs nothing: a large image of another namespace must not delay its
        // next attempt for hours.
        return job is { IsLarge: false, WasPreempted: false }
            && !CircuitBreaker.IsAnyFailing(job)
            && running.All(other => other.Tenant != tenant);
    }

    /// <summary>
    /// A job to be preempted for a waiting namespace: a slow one of a namespace with several workers if the other has none, or any of a
    /// namespace that has had more workers than its share and than the other for a while. Null if there is no such job or nobody waits.
    /// A job is preempted once.
    /// </summary>
    public PopulationJob? FindPreemptible(
        IEnumerable<PopulationJob> waiting,
        IReadOnlyCollection<PopulationJob> running,
        DateTimeOffset now,
        out DateTimeOffset? wake
    )
    {
        wake = null;
        // One at a time: the worker of a job that is being stopped will soon be free.
        if (running.Count < Workers || running.Any(job => job is { WasPreempted: true, Stop: null }))
            return null;
        var workers = running.CountBy(job => job.Tenant).ToDictionary();
        var candidates = running.Where(job => job is { WasPreempted: false, Stop: not null } && workers[job.Tenant] > 1).ToList();
        if (candidates.Count == 0)
            return null;
        _namespaces.CountRunning(running, now);
        var most = candidates.Max(job => workers[job.Tenant]);
        DateTimeOffset? retryAt = null;
        HashSet<string> seen = [];
        foreach (var job in waiting)
        {
            if (job.ReadyAt > now)
                break;
            // Cheap questions first: this runs at every change of the queue, for every waiting job. The first job of a namespace has waited
            // longest.
            var tenant = WithMostWorkers(job.Namespaces, workers, out var owned);
            if (owned > 0 && most <= Math.Max(Share, owned) || seen.Contains(tenant))
                continue;
            if (job is not { IsLarge: false, Failures: 0, WasPreempted: false } || !IsAllowed(job, now, ref retryAt))
                continue;
            if (IsSlow(job, tenant, now) && !MayOccupyWorker(job, tenant, running))
                continue;
            seen.Add(tenant);
            var preemptible = job.ReadyAt + PaceTracker.PreemptionDelay;
            wake = Earlier(wake, preemptible > now ? preemptible : now + PaceTracker.PreemptionDelay);
            if (FindPreemptible(candidates, workers, tenant, isDelayOver: preemptible <= now, now) is { } preempted)
                return preempted;
        }
        return null;
    }

    private PopulationJob? FindPreemptible(
        List<PopulationJob> candidates,
        Dictionary<string, int> workers,
        string tenant,
        bool isDelayOver,
        DateTimeOffset now
    ) =>
        candidates
            .Where(job =>
                job.IsOverdue && !workers.ContainsKey(tenant)
                || isDelayOver && ExceedsShare(tenant, job, workers) && !PaceTracker.EndsSoon(job, now)
            )
            .MaxBy(job => (job.StartedAt, job.Sequence));

    /// <summary>Of the namespaces that need an image, the one with most workers, and their number.</summary>
    private static string WithMostWorkers(IReadOnlyList<string> namespaces, Dictionary<string, int> workers, out int owned)
    {
        var most = namespaces[0];
        owned = workers.GetValueOrDefault(most);
        for (var index = 1; index < namespaces.Count; index++)
            if (workers.GetValueOrDefault(namespaces[index]) is var count && count > owned)
                (most, owned) = (namespaces[index], count);
        return most;
    }

    /// <summary>Whether a running job's namespace has more workers than its share and than another, and had them for longer.</summary>
    private bool ExceedsShare(string tenant, PopulationJob job, Dictionary<string, int> workers) =>
        workers[job.Tenant] > Math.Max(Share, workers.GetValueOrDefault(tenant))
        && _namespaces.RankOf(job.Tenant).Used - _namespaces.RankOf(tenant).Used >= PaceTracker.PreemptionDelay;

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
        for (var index = 0; index < job.Sources.Count; index++)
        {
            if (CircuitBreaker.IsAllowed(job.Sources[index], now, out retryAt))
                return true;
            next = Earlier(next, retryAt);
        }
        wake = Earlier(wake, next);
        return job.Sources.Count == 0;
    }

    /// <summary>Whether a job may turn out to occupy its worker for long.</summary>
    public bool IsSlow(PopulationJob job, string tenant, DateTimeOffset now) =>
        job.IsLarge || job.WasPreempted || job.Failures > 0 || CircuitBreaker.IsAnyFailing(job) || Pace.MayBeSlow(job, tenant, now);

    /// <summary>
    /// Namespaces take turns by the time of their workers; in each, jobs that are waited for go first, then registries take turns, then the
    /// oldest.
    /// </summary>
    private ((TimeSpan, long) Namespace, int IsAwaited, long Source, DateTimeOffset ReadyAt, long Sequence) RankOf(Candidate candidate)
    {
        var job = candidate.Job;
        var source = _sources.LastTurn(job.Work.Origin.Registry.Text);
        return (_namespaces.RankOf(candidate.Tenant), job.Waiters > 0 ? 0 : 1, source, job.ReadyAt, job.Sequence);
    }

    private static DateTimeOffset? Earlier(DateTimeOffset? one, DateTimeOffset? other) => one is null || other < one ? other : one;

    private sealed record Candidate(PopulationJob Job, string Tenant, bool IsSlow);
}
