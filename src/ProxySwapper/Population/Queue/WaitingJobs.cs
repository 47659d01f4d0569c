namespace ProxySwapper.Population.Queue;

/// <summary>The jobs that wait, in the order in which they become ready. Belongs to <see cref="PopulationQueue"/> and its lock.</summary>
internal sealed class WaitingJobs
{
    private readonly SortedSet<PopulationJob> _jobs = new(
        Comparer<PopulationJob>.Create((one, other) => (one.ReadyAt, one.Sequence).CompareTo((other.ReadyAt, other.Sequence)))
    );

    public int Count => _jobs.Count;

    /// <summary>How many of them were never tried.</summary>
    public int Untried { get; private set; }

    /// <summary>All of them, the one that is ready first at the front.</summary>
    public IEnumerable<PopulationJob> InOrder => _jobs;

    public void Add(PopulationJob job)
    {
        if (_jobs.Add(job) && job.Failures == 0)
            Untried++;
    }

    /// <summary>False when the job did not wait.</summary>
    public bool Remove(PopulationJob job)
    {
        if (!_jobs.Remove(job))
            return false;
        if (job.Failures == 0)
            Untried--;
        return true;
    }

    /// <summary>Takes all of them out.</summary>
    public IReadOnlyList<PopulationJob> Drain()
    {
        List<PopulationJob> all = [.. _jobs];
        _jobs.Clear();
        Untried = 0;
        return all;
    }
}
