using ProxySwapper.Configuration;
using ProxySwapper.Population.Work;
using ProxySwapper.Registry.Timing;
using ProxySwapper.Rules;

namespace ProxySwapper.Population.Queue;

/// <summary>
/// Waiting and running work: bounded, one job per target, and fair. It does no I/O; it only decides what runs next. Thread-safe;
/// <see cref="TryEnqueue"/> never blocks.
/// </summary>
/// <remarks>
/// <para>Namespaces take turns by the time of their workers (<see cref="NamespaceTurns"/>), and within each namespace the source
/// registries; then the oldest job goes first. When the queue is full, work of a namespace with few jobs replaces the newest job of the
/// namespace with most. Three mechanisms keep a job from blocking others:</para>
/// <para>Limits of slow jobs. A job that failed before, is large, or has a registry that is failing, has never responded or was slow
/// recently may occupy a worker for long; such jobs together use at most all workers but one, and those of one namespace less than half of
/// them. With a single worker they alternate with the others.</para>
/// <para>Preemption. A job that turns out to be slow (<see cref="PaceTracker"/>) gives up its worker, once, if its namespace has several
/// workers and another waiting namespace has none. A namespace that is alone may use all workers, of four or more
/// all but one; when others wait that had less time, it gives back those beyond its share, less than half, except for jobs that are about
/// to end.</para>
/// <para>The circuit breaker of registries (<see cref="RegistryCircuitBreaker"/>). Of the jobs for a registry that fails as a whole, one
/// runs at a time, after the required pause; when its retries are used up, all jobs waiting for that registry fail with it.</para>
/// </remarks>
internal sealed partial class PopulationQueue(ConfigurationMonitor rules, TimeProvider time, Backoff delay)
{
    private readonly SteadyClock _clock = new(time);
    private readonly Lock _gate = new();
    private readonly Dictionary<string, PopulationJob> _jobs = new(StringComparer.Ordinal);
    private readonly WaitingJobs _waiting = new();
    private readonly HashSet<PopulationJob> _running = [];
    private readonly JobSelector _selector = new(rules, new RegistryCircuitBreaker(delay));
    private readonly AsyncSignal _signal = new(time);
    private long _sequence;
    private bool _isClosed;

    public ImagePresenceCache Known { get; } = new(time);

    /// <summary>The clock of the times of its jobs.</summary>
    public SteadyClock Clock => _clock;

    public int WaitingCount => Read((_, waiting) => waiting.Count());

    public int RunningCount => Read((running, _) => running.Count());

    /// <summary>Whether the queue is closed.</summary>
    public bool IsClosed => Read((_, _) => _isClosed);

    /// <summary>Whether new work of a namespace would be accepted.</summary>
    public bool HasRoomFor(string @namespace) =>
        Read((_, _) => !_isClosed && _waiting.HasRoom(@namespace, isTried: false, rules.Current.Options.Populate.QueueLimit, out _));

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
                // The pause after a failure was for the credentials of others.
                if (pending.AddOrigin(origin) && !pending.IsDeferred && pending.ReadyAt > _clock.UtcNow && _waiting.Remove(pending))
                {
                    pending.ReadyAt = _clock.UtcNow;
                    Wait(pending);
                }
                return new(EnqueueOutcome.Pending, pending);
            }
            if ((work.IsPinned || !mayHaveMoved) && Known.IsKnown(work.Key))
                return new(EnqueueOutcome.Known, null);
            if (!_waiting.HasRoom(origin.Namespace, isTried: false, rules.Current.Options.Populate.QueueLimit, out var displaced))
                return new(EnqueueOutcome.Dropped, null);
            if (displaced is not null)
                Displace(displaced);
            var job = new PopulationJob(work, origin, _sequence++, _clock.UtcNow);
            _jobs.Add(work.Key, job);
            Wait(job);
            return new(EnqueueOutcome.Queued, job, displaced);
        }
    }

    /// <summary>Prioritises a job that is waited for over others, until disposed.</summary>
    public IDisposable Prioritize(PopulationJob job)
    {
        lock (_gate)
            job.Waiters++;
        _signal.Raise();
        return new PriorityLease(this, job);
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
                var now = _clock.UtcNow;
                var recall = FindOverdue(now);
                if (_selector.Next(_waiting.InOrder, _running, now, out wake) is { } job)
                {
                    Start(job, now);
                    return job;
                }
                if (_waiting.Count > 0)
                    wake = new[] { wake, recall, JobSelector.NextOverdue(_running) }.Min();
            }
            await _signal.WaitAsync(change, wake - _clock.UtcNow, cancellationToken);
        }
    }

    /// <summary>Both registries of a running job respond: jobs waiting for them may continue.</summary>
    public void ReportProgress(PopulationJob job)
    {
        lock (_gate)
            Responded(job);
        _signal.Raise();
    }

    /// <summary>Allows a running job to be stopped so that others can run.</summary>
    /// <param name="job">The job.</param>
    /// <param name="stop">Stops it.</param>
    /// <returns>Withdraws that permission when disposed.</returns>
    public IDisposable AllowPreemption(PopulationJob job, CancellationTokenSource stop)
    {
        lock (_gate)
            job.Stop = stop;
        return new StopRegistration(this, job, stop);
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
            if (job.CountsAsSlow && job.HasLargeReservation)
                return true;
            job.CountsAsSlow = false;
            job.HasLargeReservation = job.CountsAsSlow = _selector.MayOccupyWorker(job, job.Tenant, _running);
            return job.CountsAsSlow;
        }
    }

    /// <summary>Defers a job whose image another replica is copying, for a while or until that copy ends.</summary>
    public void Defer(PopulationJob job, TimeSpan pause)
    {
        lock (_gate)
        {
            (job.ReadyAt, job.IsDeferred) = (_clock.UtcNow + pause, true);
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
            (job.ReadyAt, job.IsDeferred) = (_clock.UtcNow, false);
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

    private void Start(PopulationJob job, DateTimeOffset now)
    {
        _waiting.Remove(job);
        (job.StartedAt, job.IsDeferred, job.IsOverdue) = (now, false, false);
        (job.OriginsAtStart, job.RegistriesAtStart) = (job.Origins, [.. job.Registries]);
        (job.BytesDone, job.BytesTotal) = (0, 0);
        job.CountsAsSlow = _selector.Start(job, now);
        job.HasLargeReservation = job.IsLarge;
        _running.Add(job);
    }

    private void PutBack(PopulationJob job)
    {
        foreach (var registry in job.RegistriesAtStart)
            _selector.CircuitBreaker.Ended(registry);
        Leave(job);
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

    private sealed class StopRegistration(PopulationQueue queue, PopulationJob job, CancellationTokenSource stop) : IDisposable
    {
        public void Dispose()
        {
            lock (queue._gate)
                if (job.Stop == stop)
                    job.Stop = null;
        }
    }

    private sealed class PriorityLease(PopulationQueue queue, PopulationJob job) : IDisposable
    {
        public void Dispose()
        {
            lock (queue._gate)
                job.Waiters--;
        }
    }
}
