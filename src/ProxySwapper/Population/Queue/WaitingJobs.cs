namespace ProxySwapper.Population.Queue;

/// <summary>
/// The waiting jobs, in the order in which they become ready, with the number of each namespace. Used under the lock of
/// <see cref="PopulationQueue"/>.
/// </summary>
internal sealed class WaitingJobs
{
    private readonly SortedSet<PopulationJob> _jobs = new(
        Comparer<PopulationJob>.Create((one, other) => (one.ReadyAt, one.Sequence).CompareTo((other.ReadyAt, other.Sequence)))
    );
    private readonly Shares _untried = new();
    private readonly Shares _tried = new();

    public int Count => _jobs.Count;

    /// <summary>All jobs, in the order in which they become ready.</summary>
    public IEnumerable<PopulationJob> InOrder => _jobs;

    public void Add(PopulationJob job)
    {
        if (_jobs.Add(job))
            SharesOf(job.Failures > 0).Add(job.Owner, 1);
    }

    /// <summary>Removes a job; false if it was not waiting.</summary>
    public bool Remove(PopulationJob job)
    {
        if (!_jobs.Remove(job))
            return false;
        SharesOf(job.Failures > 0).Add(job.Owner, -1);
        return true;
    }

    /// <summary>Removes all jobs.</summary>
    public IReadOnlyList<PopulationJob> Drain()
    {
        List<PopulationJob> all = [.. _jobs];
        _jobs.Clear();
        _untried.Clear();
        _tried.Clear();
        return all;
    }

    /// <summary>Whether there is room for one more job of a namespace. Jobs between two attempts have their own limit.</summary>
    /// <param name="owner">The namespace.</param>
    /// <param name="isTried">True for a job between two attempts.</param>
    /// <param name="limit">The limit.</param>
    /// <param name="displaced">
    /// The job to remove: the newest of the namespace with most jobs, if it has more than this one would have with the new job.
    /// </param>
    public bool HasRoom(string owner, bool isTried, int limit, out PopulationJob? displaced)
    {
        displaced = null;
        var shares = SharesOf(isTried);
        if (shares.Total < limit)
            return true;
        if (shares.Total == 0)
            return false;
        var (largest, count) = shares.Largest();
        if (count <= shares.Of(owner) + 1)
            return false;
        displaced = _jobs
            .Where(job => job.Failures > 0 == isTried && job.Owner == largest && job.Namespaces.Count == 1 && job.Waiters == 0)
            .MaxBy(job => job.Sequence);
        displaced ??= _jobs
            .Where(job => job.Failures > 0 == isTried && job.Owner == largest && job.Namespaces.Count == 1)
            .MaxBy(job => job.Sequence);
        displaced ??= NewestShared(largest, isTried);
        return displaced is not null;
    }

    /// <summary>
    /// The newest job of a namespace all of whose jobs are needed by others too, as those of a tenant with several namespaces may be; first
    /// of those that no namespace with few images needs, and of these one that nobody waits for.
    /// </summary>
    private PopulationJob? NewestShared(string largest, bool isTried)
    {
        var jobs = _jobs.Where(job => job.Failures > 0 == isTried).ToList();
        var needs = jobs.SelectMany(job => job.Namespaces).CountBy(name => name).ToDictionary(StringComparer.Ordinal);
        return jobs.Where(job => job.Owner == largest)
            .MaxBy(job => (job.Namespaces.Min(name => needs[name]), job.Waiters == 0, job.Sequence));
    }

    private Shares SharesOf(bool isTried) => isTried ? _tried : _untried;

    private sealed class Shares
    {
        private readonly Dictionary<string, int> _counts = new(StringComparer.Ordinal);

        public int Total { get; private set; }

        public int Of(string owner) => _counts.GetValueOrDefault(owner);

        public (string Owner, int Count) Largest()
        {
            var largest = _counts.MaxBy(share => share.Value);
            return (largest.Key, largest.Value);
        }

        public void Add(string owner, int change)
        {
            Total += change;
            var count = Of(owner) + change;
            if (count > 0)
                _counts[owner] = count;
            else
                _counts.Remove(owner);
        }

        public void Clear()
        {
            _counts.Clear();
            Total = 0;
        }
    }
}
