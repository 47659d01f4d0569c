namespace ProxySwapper.Population.Queue;

/// <summary>The waiting jobs, ordered by when they become ready. Used under the lock of <see cref="PopulationQueue"/>.</summary>
internal sealed class WaitingJobs
{
    private readonly SortedSet<PopulationJob> _jobs = new(
        Comparer<PopulationJob>.Create((one, other) => (one.ReadyAt, one.Sequence).CompareTo((other.ReadyAt, other.Sequence)))
    );

    public int Count => _jobs.Count;

    /// <summary>The number of jobs without an attempt so far.</summary>
    public int Untried { get; private set; }

    /// <summary>All of them, in the order in which they become ready.</summary>
    public IEnumerable<PopulationJob> InOrder => _jobs;

    public void Add(PopulationJob job)
    {
        if (_jobs.Add(job) && job.Failures == 0)
            Untried++;
    }

    /// <summary>Removes a job; false if it was not waiting.</summary>
    public bool Remove(PopulationJob job)
    {
        if (!_jobs.Remove(job))
            return false;
        if (job.Failures == 0)
            Untried--;
        return true;
    }

    /// <summary>Removes all of them.</summary>
    public IReadOnlyList<PopulationJob> Drain()
    {
        List<PopulationJob> all = [.. _jobs];
        _jobs.Clear();
        Untried = 0;
        return all;
    }
}
