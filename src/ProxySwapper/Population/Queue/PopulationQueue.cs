using ProxySwapper.Configuration;
using ProxySwapper.Population.Work;
using ProxySwapper.Registry.Timing;

namespace ProxySwapper.Population.Queue;

/// <summary>
/// Waiting and running work: bounded, one job per target, and fair. It does no I/O; it only decides what runs next. Thread-safe;
/// <see cref="TryEnqueue"/> never blocks.
/// </summary>
/// <remarks>
/// <para>Jobs run in the order in which they become ready. Two mechanisms keep a job from blocking others:</para>
/// <para>The slow lane. A job that failed before, is large, or has a failing registry may occupy a worker for long; such jobs together use
/// at most all workers but one. With a single worker they alternate with the others.</para>
/// <para>The circuit breaker of registries (<see cref="RegistryCircuitBreaker"/>). Of the jobs for a registry that fails as a whole, one
/// runs at a time, after the required pause; when its retries are used up, all jobs waiting for that registry fail with it.</para>
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

    /// <summary>Whether the queue is closed.</summary>
    public bool IsClosed => Read((_, _) => _isClosed);

    /// <summary>Whether new work would be accepted.</summary>
    public bool HasRoom => Read((_, _) => !_isClosed && _waiting.Untried < options().QueueLimit);

    /// <summary>Enqueues work for a Pod.</summary>
    /// <param name="work">What to do.</param>
    /// <param name="origin">The Pod that needs it.</param>
    /// <param name="mayHaveMoved">True if a known tag must be rechecked, as the pull policy Always requires.</param>
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
            // Jobs waiting for a retry have their own limit, so that a registry that is down takes no room from others.
            if (_waiting.Untried >= options().QueueLimit)
                return new(EnqueueOutcome.Dropped, null);
            var job = new PopulationJob(work, origin, _sequence++, time.GetUtcNow());
            _jobs.Add(work.Key, job);
            Wait(job);
            return new(EnqueueOutcome.Queued, job);
        }
    }

    /// <summary>Prioritises a job that is waited for over others, until disposed.</summary>
    public IDisposable Prioritize(PopulationJob job)
    {
        lock (_gate)
            job.Waiters++;
        _signal.Raise();
        return new Haste(this, job);
    }

    /// <summary>Waits until a job may run and takes it; null once the queue is closed.</summary>
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

    /// <summary>Both registries of a running job respond: jobs waiting for them may continue.</summary>
    public void ReportProgress(PopulationJob job)
    {
        lock (_gate)
            foreach (var lane in job.Lanes)
                _selector.Registries.Answered(lane);
        _signal.Raise();
    }

    /// <summary>Records the progress of a running job.</summary>
    public void ReportBytes(PopulationJob job, long done, long total)
    {
        lock (_gate)
            (job.BytesDone, job.BytesTotal) = (done, total);
    }

    /// <summary>Records the size of a running job. False if the job must be requeued, so that others can pass.</summary>
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

    /// <summary>Defers a job whose image another replica is copying, until a time or until that copy ends.</summary>
    public void Defer(PopulationJob job, DateTimeOffset until)
    {
        lock (_gate)
        {
            (job.ReadyAt, job.IsDeferred) = (until, true);
            PutBack(job);
        }
        _signal.Raise();
    }

    /// <summary>Makes a deferred job ready.</summary>
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

    /// <summary>Puts back a job without a result: it was requeued, or the program is shutting down.</summary>
    public void Requeue(PopulationJob job)
    {
        lock (_gate)
            PutBack(job);
        _signal.Raise();
    }

    /// <summary>Records a failed attempt.</summary>
    /// <returns>The jobs that fail as a result: none, this one, or all jobs waiting for a registry that stays down.</returns>
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
            // A Pod that joined in the meantime may have the missing secrets.
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

    /// <summary>Closes the queue: no more jobs are taken from it.</summary>
    /// <returns>The waiting jobs.</returns>
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

    /// <summary>All jobs: running ones first, then waiting ones in the order in which they become ready.</summary>
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
