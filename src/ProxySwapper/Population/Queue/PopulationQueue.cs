using ProxySwapper.Configuration;
using ProxySwapper.Population.Work;
using ProxySwapper.Registry.Timing;

namespace ProxySwapper.Population.Queue;

/// <summary>
/// The work that waits and that is in flight: bounded, one job per target, and fair. It moves nothing and asks nobody; it only decides
/// what runs next. Safe for many threads; <see cref="TryEnqueue"/> never waits.
/// </summary>
/// <remarks>
/// <para>Jobs run in the order in which they are ready. Two things keep one of them from being in everybody's way:</para>
/// <para>The slow lane. A job that failed before, that has to move a lot, or whose registry is failing, may hold a worker for long; such
/// jobs together hold at most all workers but one. With one worker alone they take turns with the others.</para>
/// <para>The back-off of registries (<see cref="RegistryCircuitBreaker"/>). Of the jobs for a registry that fails as a whole, one runs at a
/// time, after the pause that is due; when its tries are used up, all that wait for that registry are given up with it.</para>
/// </remarks>
internal sealed class PopulationQueue(Func<PopulateOptions> options, TimeProvider time, Backoff delay)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, PopulationJob> _jobs = new(StringComparer.Ordinal);
    private readonly WaitingJobs _waiting = new();
    private readonly HashSet<PopulationJob> _running = [];
    private readonly JobSelector _selector = new(options, new RegistryCircuitBreaker(delay));
    private readonly AsyncSignal _signal = new(time);
    private long _sequence;
    private bool _isClosed;

    public ImagePresenceCache Known { get; } = new(time);

    public int WaitingCount => Read((_, waiting) => waiting.Count());

    public int RunningCount => Read((running, _) => running.Count());

    /// <summary>Whether the program ends.</summary>
    public bool IsClosed => Read((_, _) => _isClosed);

    /// <summary>Whether new work would be taken.</summary>
    public bool HasRoom => Read((_, _) => !_isClosed && _waiting.Untried < options().QueueLimit);

    /// <summary>Hands in work for a Pod.</summary>
    /// <param name="work">What to do.</param>
    /// <param name="origin">The Pod that needs it.</param>
    /// <param name="mayHaveMoved">True when a tag has to be looked at although it is known, as the pull policy Always asks.</param>
    public EnqueueResult TryEnqueue(PopulationWork work, PodOrigin origin, bool mayHaveMoved = false)
    {
        lock (_gate)
        {
            if (_isClosed)
                return new(EnqueueOutcome.Closed, null);
            if (_jobs.TryGetValue(work.Key, out var pending))
            {
                pending.AddOrigin(origin);
                return new(EnqueueOutcome.Pending, pending);
            }
            if ((work.IsPinned || !mayHaveMoved) && Known.IsKnown(work.Key))
                return new(EnqueueOutcome.Known, null);
            // Jobs between two tries have a limit of their own: a registry that is down takes no room from the others.
            if (_waiting.Untried >= options().QueueLimit)
                return new(EnqueueOutcome.Dropped, null);
            var job = new PopulationJob(work, origin, _sequence++, time.GetUtcNow());
            _jobs.Add(work.Key, job);
            Wait(job);
            return new(EnqueueOutcome.Queued, job);
        }
    }

    /// <summary>Somebody waits for a job: it goes before those that nobody waits for, until that is disposed.</summary>
    public IDisposable Prioritize(PopulationJob job)
    {
        lock (_gate)
            job.Waiters++;
        _signal.Raise();
        return new Haste(this, job);
    }

    /// <summary>Waits until a job may run and a worker is free, and takes it; null once the queue is closed.</summary>
    public async ValueTask<PopulationJob?> TakeAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var change = _signal.Next;
            DateTimeOffset? wake;
            lock (_gate)
            {
                if (_isClosed)
                    return null;
                if (_selector.Next(_waiting.InOrder, _running, time.GetUtcNow(), out wake) is { } job)
                {
                    Start(job);
                    return job;
                }
            }
            await _signal.WaitAsync(change, wake, cancellationToken);
        }
    }

    /// <summary>A job's image is downstream.</summary>
    public void Succeeded(PopulationJob job, string? digest = null)
    {
        lock (_gate)
        {
            foreach (var lane in job.Lanes)
                _selector.Registries.Answered(lane);
            _running.Remove(job);
            _jobs.Remove(job.Work.Key);
            Known.Remember(job.Work.Key, job.Work.IsPinned ? null : options().RecheckAfter, digest);
            job.Complete(true);
        }
        _signal.Raise();
    }

    /// <summary>Both registries of a running job answer: whoever waits for them may go on.</summary>
    public void ReportProgress(PopulationJob job)
    {
        lock (_gate)
            foreach (var lane in job.Lanes)
                _selector.Registries.Answered(lane);
        _signal.Raise();
    }

    /// <summary>How far a running job is.</summary>
    public void ReportBytes(PopulationJob job, long done, long total)
    {
        lock (_gate)
            (job.BytesDone, job.BytesTotal) = (done, total);
    }

    /// <summary>A running job has found how much it has to move. False when it must come back later, so that others can pass.</summary>
    public bool TryReserveLargeTransfer(PopulationJob job, long bytes)
    {
        lock (_gate)
        {
            if (bytes < PopulateOptions.LargeImageBytes)
                return true;
            job.IsLarge = true;
            if (job.RunsInSlowLane)
                return true;
            if (_running.Count(other => other.RunsInSlowLane) >= _selector.SlowLaneWidth)
                return false;
            job.RunsInSlowLane = true;
            return true;
        }
    }

    /// <summary>Another replica has the job's image under way: it waits until a time, or until that copy ends.</summary>
    public void Defer(PopulationJob job, DateTimeOffset until)
    {
        lock (_gate)
        {
            (job.ReadyAt, job.IsDeferred) = (until, true);
            PutBack(job);
        }
        _signal.Raise();
    }

    /// <summary>What a job was deferred for has ended: it is ready now.</summary>
    public void Resume(string key)
    {
        lock (_gate)
        {
            if (!_jobs.TryGetValue(key, out var job) || !job.IsDeferred || !_waiting.Remove(job))
                return;
            (job.ReadyAt, job.IsDeferred) = (time.GetUtcNow(), false);
            _waiting.Add(job);
        }
        _signal.Raise();
    }

    /// <summary>Gives a job back that ended without an outcome: it made way, or the program ends.</summary>
    public void Requeue(PopulationJob job)
    {
        lock (_gate)
            PutBack(job);
        _signal.Raise();
    }

    /// <summary>A try failed.</summary>
    /// <returns>The jobs that are given up with this: none, this one, or all that wait for a registry that does not come back.</returns>
    public IReadOnlyList<PopulationJob> Failed(PopulationJob job, JobFailure fault)
    {
        var givenUp = new List<PopulationJob>();
        lock (_gate)
        {
            var now = time.GetUtcNow();
            var mostFailures = options().MaxRetries;
            job.Failures++;
            job.LastFault = fault.Message;
            var lastOfHost = 0;
            foreach (var lane in job.Lanes)
                if (lane.Registry != fault.Host)
                    _selector.Registries.Leaves(lane);
                else if (fault.Kind != FailureKind.HostFailing)
                    _selector.Registries.Answered(lane);
                else
                    lastOfHost = _selector.Registries.Failed(lane, fault.RetryAfter, now);
            _running.Remove(job);
            // A Pod that joined meanwhile may have the secrets that were missing.
            var isFinal = fault.Kind == FailureKind.Final && job.Origins.Count == job.OriginsAtStart;
            if (_isClosed || isFinal || job.Failures > mostFailures || _waiting.Count - _waiting.Untried >= options().QueueLimit)
            {
                Drop(job);
                if (!_isClosed)
                    givenUp.Add(job);
            }
            else
            {
                job.ReadyAt = now + delay.After(job.Failures, fault.RetryAfter);
                Wait(job);
            }
            if (lastOfHost > mostFailures)
                GiveUpWaiting(job, fault, givenUp);
        }
        _signal.Raise();
        return givenUp;
    }

    /// <summary>Ends the queue: nothing more comes out.</summary>
    /// <returns>What was waiting.</returns>
    public IReadOnlyList<PopulationJob> Close()
    {
        IReadOnlyList<PopulationJob> left;
        lock (_gate)
        {
            _isClosed = true;
            left = _waiting.Drain();
            foreach (var job in left)
                Drop(job);
        }
        _signal.Raise();
        return left;
    }

    /// <summary>All jobs: those in flight, then those that wait, in the order in which they become ready.</summary>
    public T Read<T>(Func<IEnumerable<PopulationJob>, IEnumerable<PopulationJob>, T> read)
    {
        lock (_gate)
            return read(_running.OrderBy(job => job.Sequence), _waiting.InOrder);
    }

    private void Start(PopulationJob job)
    {
        _waiting.Remove(job);
        (job.StartedAt, job.IsDeferred) = (time.GetUtcNow(), false);
        job.OriginsAtStart = job.Origins.Count;
        (job.BytesDone, job.BytesTotal) = (0, 0);
        job.RunsInSlowLane = _selector.Started(job);
        _running.Add(job);
        foreach (var lane in job.Lanes)
            _selector.Registries.Asks(lane);
    }

    private void PutBack(PopulationJob job)
    {
        foreach (var lane in job.Lanes)
            _selector.Registries.Leaves(lane);
        _running.Remove(job);
        if (_isClosed)
            Drop(job);
        else
            Wait(job);
    }

    private void Wait(PopulationJob job)
    {
        job.StartedAt = null;
        _waiting.Add(job);
        _signal.Raise();
    }

    private void Drop(PopulationJob job)
    {
        _jobs.Remove(job.Work.Key);
        job.Complete(false);
    }

    private void GiveUpWaiting(PopulationJob failed, JobFailure fault, List<PopulationJob> givenUp)
    {
        var lanes = failed.Lanes.Where(lane => lane.Registry == fault.Host).ToList();
        foreach (var job in _waiting.InOrder.Where(job => job.Lanes.Intersect(lanes).Any()).ToList())
        {
            _waiting.Remove(job);
            job.LastFault = fault.Message;
            Drop(job);
            givenUp.Add(job);
        }
    }

    private sealed class Haste(PopulationQueue queue, PopulationJob job) : IDisposable
    {
        public void Dispose()
        {
            lock (queue._gate)
                job.Waiters--;
        }
    }
}
