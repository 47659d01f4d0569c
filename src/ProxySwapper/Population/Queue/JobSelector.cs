using ProxySwapper.Configuration;

namespace ProxySwapper.Population.Queue;

/// <summary>
/// Tells which of the jobs that wait runs next: the turns, the slow lane and the back-off of registries as <see cref="PopulationQueue"/>
/// has them. Belongs to the queue and its lock.
/// </summary>
internal sealed class JobSelector(Func<PopulateOptions> options, RegistryCircuitBreaker registries)
{
    private readonly Turns _namespaces = new();
    private readonly Turns _sources = new();
    private bool _wasSlow;

    /// <summary>The registries that fail as a whole.</summary>
    public RegistryCircuitBreaker Registries { get; } = registries;

    /// <summary>Who was slow of late.</summary>
    public PaceTracker Pace { get; } = new();

    private int Workers => options().MaxNumberOfParallelJobs;

    /// <summary>How many slow jobs may run at once: with several workers, one is left to the others.</summary>
    private int SlowLaneWidth => Math.Max(1, Workers - 1);

    /// <summary>How many of them may be of one namespace.</summary>
    private int SlowLaneShare => Math.Max(1, Workers / 2);

    /// <summary>The next job, its <see cref="PopulationJob.Tenant"/> set or, if none may run, the time at which that may change.</summary>
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
            if (!MayAsk(job, now, ref wake))
                continue;
            foreach (var tenant in job.Namespaces)
            {
                var isSlow = IsSlow(job, tenant, now);
                if (isSlow && !MayHold(job, tenant, running))
                    continue;
                var candidate = new Candidate(job, tenant, RankOf(job, tenant));
                if (isSlow)
                    slow = slow?.Rank.CompareTo(candidate.Rank) <= 0 ? slow : candidate;
                else
                    quick = quick?.Rank.CompareTo(candidate.Rank) <= 0 ? quick : candidate;
            }
        }
        // With one worker alone, the slow ones let one pass each time.
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
        _namespaces.Served(job.Tenant);
        _sources.Served(job.Work.Origin.Registry);
        foreach (var lane in job.Lanes)
            Registries.Asks(lane);
        return _wasSlow = IsSlow(job, job.Tenant, now);
    }

    /// <summary>Whether a job that runs may hold its worker for long.</summary>
    public bool MayHold(PopulationJob job, string tenant, IReadOnlyCollection<PopulationJob> running)
    {
        var slow = running.Where(other => other.RunsInSlowLane).ToList();
        if (slow.Count < SlowLaneWidth && slow.Count(other => other.Tenant == tenant) < SlowLaneShare)
            return true;
        // Nothing but doubt or a failure is against it, and its namespace has nothing under way: a large image of another one must not
        // keep its next try waiting for hours.
        return job is { IsLarge: false, HasMadeWay: false }
            && !job.Lanes.Any(Registries.IsFailing)
            && running.All(other => other.Tenant != tenant);
    }

    /// <summary>
    /// The job that is slow, of a namespace with several workers, and so has to make way for a namespace that waits and has none; null when
    /// there is none or nobody waits. A job makes way once.
    /// </summary>
    public PopulationJob? ThatMakesWay(IEnumerable<PopulationJob> waiting, IReadOnlyCollection<PopulationJob> running, DateTimeOffset now)
    {
        // One at a time: the worker of one that was told is as good as free.
        if (running.Count < Workers || running.Any(job => job is { HasMadeWay: true, Stop: null }))
            return null;
        var workers = running.CountBy(job => job.Tenant).ToDictionary();
        DateTimeOffset? wake = null;
        var isWaiting = waiting
            .TakeWhile(job => job.ReadyAt <= now)
            .Any(job =>
                job is { IsLarge: false, Failures: 0, HasMadeWay: false }
                && !job.Namespaces.Any(workers.ContainsKey)
                && MayAsk(job, now, ref wake)
            );
        return isWaiting
            ? running
                .Where(job => job is { IsDragging: true, HasMadeWay: false, Stop: not null } && workers[job.Tenant] > 1)
                .MaxBy(job => (job.StartedAt, job.Sequence))
            : null;
    }

    /// <summary>When a job that runs begins to count as slow, should it go on like this.</summary>
    public static DateTimeOffset? NextDrag(IEnumerable<PopulationJob> running) =>
        running.Where(job => !job.IsDragging).Min(job => job.StartedAt + PaceTracker.PatienceWith(job));

    /// <summary>Whether the target and one of the ways to the source may be asked now.</summary>
    private bool MayAsk(PopulationJob job, DateTimeOffset now, ref DateTimeOffset? wake)
    {
        if (!Registries.MayAsk(job.Target, now, out var opensAt))
        {
            wake = Earlier(wake, opensAt);
            return false;
        }
        DateTimeOffset? next = null;
        foreach (var source in job.Sources)
        {
            if (Registries.MayAsk(source, now, out opensAt))
                return true;
            next = Earlier(next, opensAt);
        }
        wake = Earlier(wake, next);
        return job.Sources.Count == 0;
    }

    /// <summary>Whether a job may hold a worker for long.</summary>
    public bool IsSlow(PopulationJob job, string tenant, DateTimeOffset now) =>
        job.IsLarge || job.HasMadeWay || job.Failures > 0 || job.Lanes.Any(Registries.IsFailing) || Pace.IsDoubtful(job, tenant, now);

    /// <summary>Namespaces take turns; in each, jobs that are waited for go first, then registries take turns, then the oldest.</summary>
    private (long Namespace, int IsAwaited, long Source, DateTimeOffset ReadyAt, long Sequence) RankOf(PopulationJob job, string tenant) =>
        (_namespaces.LastOf(tenant), job.Waiters > 0 ? 0 : 1, _sources.LastOf(job.Work.Origin.Registry), job.ReadyAt, job.Sequence);

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
internal sealed class Turns
{
    private const int Capacity = 10_000;

    private readonly Dictionary<string, long> _last = new(StringComparer.Ordinal);
    private long _now;

    /// <summary>When a name last had its turn; 0 if unknown.</summary>
    public long LastOf(string name) => _last.GetValueOrDefault(name);

    public void Served(string name)
    {
        if (_last.Count >= Capacity)
            _last.Clear();
        _last[name] = ++_now;
    }
}
