namespace ProxySwapper.Population.Queue;

/// <summary>
/// Fair queueing of namespaces: the one whose jobs have occupied workers for the shortest time is next, so that long jobs take fewer turns
/// than short ones. Bounded, since names are external. Used under the queue's lock.
/// </summary>
/// <remarks>
/// As in a processor's fair scheduler, a namespace that had nothing to do starts with the time of the least served one, without credit for
/// the past, and debts are limited.
/// </remarks>
internal sealed class NamespaceTurns
{
    private const int Capacity = 10_000;

    /// <summary>A namespace whose image took long does not wait longer than this for others.</summary>
    private static readonly TimeSpan MaximumDebt = TimeSpan.FromSeconds(30);

    private readonly RoundRobin _turns = new();
    private readonly Dictionary<string, TimeSpan> _used = new(StringComparer.Ordinal);
    private Dictionary<string, TimeSpan> _running = [];
    private HashSet<string> _active = [];
    private TimeSpan _least;

    /// <summary>The lower, the earlier is its turn.</summary>
    public (TimeSpan Used, long LastTurn) RankOf(string name) => (Max(_least, UsedBy(name)), _turns.LastTurn(name));

    public void TakeTurn(string name) => _turns.TakeTurn(name);

    /// <summary>Counts the time of the running jobs until now, and which namespaces have something to do.</summary>
    /// <param name="running">The running jobs.</param>
    /// <param name="waiting">The namespaces that could use a worker.</param>
    /// <param name="now">The time.</param>
    public void Observe(IReadOnlyCollection<PopulationJob> running, IEnumerable<string> waiting, DateTimeOffset now)
    {
        CountRunning(running, now);
        var active = waiting.Concat(_running.Keys).ToHashSet(StringComparer.Ordinal);
        var others = active.Where(_active.Contains).ToList();
        if (others.Count > 0)
            _least = Max(_least, others.Min(UsedBy));
        if (_used.Count + active.Count > Capacity)
            _used.Clear();
        foreach (var name in active)
            if (!_active.Contains(name))
                _used[name] = Max(_used.GetValueOrDefault(name), _least);
        _active = active;
    }

    /// <summary>A job ends.</summary>
    /// <param name="job">The job.</param>
    /// <param name="running">All running jobs, with this one.</param>
    /// <param name="now">The time.</param>
    public void End(PopulationJob job, IReadOnlyCollection<PopulationJob> running, DateTimeOffset now)
    {
        CountRunning(running, now);
        _used[job.Tenant] = Min(_used.GetValueOrDefault(job.Tenant) + TimeOf(job, now), _least + MaximumDebt);
    }

    /// <summary>Counts the time of the running jobs until now.</summary>
    public void CountRunning(IReadOnlyCollection<PopulationJob> running, DateTimeOffset now) =>
        _running = running
            .GroupBy(job => job.Tenant, StringComparer.Ordinal)
            .ToDictionary(
                jobs => jobs.Key,
                jobs => jobs.Aggregate(TimeSpan.Zero, (sum, job) => sum + TimeOf(job, now)),
                StringComparer.Ordinal
            );

    private TimeSpan UsedBy(string name) => _used.GetValueOrDefault(name) + _running.GetValueOrDefault(name);

    private static TimeSpan TimeOf(PopulationJob job, DateTimeOffset now) => now - job.StartedAt ?? TimeSpan.Zero;

    private static TimeSpan Min(TimeSpan one, TimeSpan other) => one < other ? one : other;

    private static TimeSpan Max(TimeSpan one, TimeSpan other) => one > other ? one : other;
}
