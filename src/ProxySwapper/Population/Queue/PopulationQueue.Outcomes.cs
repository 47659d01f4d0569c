using ProxySwapper.Registry;

namespace ProxySwapper.Population.Queue;

/// <content>The results of running jobs.</content>
internal sealed partial class PopulationQueue
{
    /// <summary>Completes a job whose image is downstream.</summary>
    public void Succeeded(PopulationJob job, string? digest = null)
    {
        lock (_gate)
        {
            Responded(job);
            if (!job.IsOverdue && !PaceTracker.IsOverdue(job, _clock.UtcNow))
                _selector.Pace.RecordOnTime(job);
            Leave(job);
            _jobs.Remove(job.Work.Key);
            Known.Remember(job.Work.Key, job.Work.IsPinned ? null : rules.Current.Options.Populate.RecheckAfter, digest);
            job.Complete(true);
        }
        _signal.Raise();
    }

    /// <summary>Records a failed attempt.</summary>
    /// <returns>The jobs that fail as a result: none, this one, or all jobs waiting for a registry that stays down.</returns>
    public IReadOnlyList<PopulationJob> Failed(PopulationJob job, JobFailure fault)
    {
        var givenUp = new List<PopulationJob>();
        lock (_gate)
        {
            var now = _clock.UtcNow;
            var mostFailures = rules.Current.Options.Populate.MaxRetries;
            job.Failures++;
            job.LastFault = fault.Message;
            var lastOfHost = 0;
            foreach (var key in job.RegistriesAtStart)
                if (key.Registry != fault.Host)
                    _selector.CircuitBreaker.Ended(key);
                else if (fault.Kind != FailureKind.RegistryDown)
                    _selector.CircuitBreaker.Responded(key);
                else
                    lastOfHost = Math.Max(lastOfHost, _selector.CircuitBreaker.Failed(key, fault.RetryAfter, now));
            Leave(job);
            // A Pod that joined in the meantime may have the missing secrets, or one of a namespace that was over the limit.
            var isJoinedByNone = ReferenceEquals(job.Origins, job.OriginsAtStart);
            var isRejected = fault.Kind == FailureKind.Permanent && fault.Host == job.Work.Origin.Registry;
            var isAdvanced = (isRejected || fault.Kind != FailureKind.Permanent) && job.AdvanceOrigins(isRejected);
            var isPermanent = fault.Kind == FailureKind.Permanent && isJoinedByNone && !isAdvanced;
            PopulationJob? displaced = null;
            if (
                _isClosed
                || isPermanent
                || job.Failures - job.FailuresOfOthers > mostFailures
                || !_waiting.HasRoom(job.Owner, isTried: true, rules.Current.Options.Populate.QueueLimit, out displaced)
            )
            {
                Drop(job);
                if (!_isClosed)
                    givenUp.Add(job);
            }
            else
            {
                if (displaced is not null)
                {
                    Displace(displaced);
                    givenUp.Add(displaced);
                }
                // The pause is for the credentials of those who needed the image when the attempt started.
                var isJoined = job.Namespaces.Except(job.OriginsAtStart.Select(origin => origin.Namespace)).Any();
                job.ReadyAt = isJoined ? now : now + delay.After(job.Failures, fault.RetryAfter);
                Wait(job);
            }
            if (lastOfHost > mostFailures)
                GiveUpWaiting(job, fault, givenUp);
        }
        _signal.Raise();
        return givenUp;
    }

    private void Responded(PopulationJob job)
    {
        foreach (var registry in job.RegistriesAtStart)
            _selector.CircuitBreaker.Responded(registry);
        _selector.Pace.RecordResponse(job);
        if (job is { CountsAsSlow: true, IsOverdue: false })
            job.CountsAsSlow = _selector.IsSlow(job, job.Tenant, _clock.UtcNow);
    }

    /// <summary>Marks jobs that turned out to be slow, and stops one that others should run instead of.</summary>
    /// <returns>When to look again.</returns>
    private DateTimeOffset? FindOverdue(DateTimeOffset now)
    {
        foreach (var job in _running)
        {
            if (job.IsOverdue || !PaceTracker.IsOverdue(job, now))
                continue;
            job.IsOverdue = job.CountsAsSlow = true;
            _selector.Pace.RecordSlow(job, now);
        }
        if (_selector.FindPreemptible(_waiting.InOrder, _running, now, out var wake) is not { Stop: { } stop } preempted)
            return wake;
        (preempted.WasPreempted, preempted.Stop) = (true, null);
        // Not under the lock: listeners call the queue again.
        _ = stop.CancelAsync();
        return wake;
    }

    private void Leave(PopulationJob job)
    {
        _selector.End(job, _running, _clock.UtcNow);
        _running.Remove(job);
    }

    private void Displace(PopulationJob job)
    {
        _waiting.Remove(job);
        job.IsDisplaced = true;
        Drop(job);
    }

    private void GiveUpWaiting(PopulationJob failed, JobFailure fault, List<PopulationJob> givenUp)
    {
        foreach (var job in _waiting.InOrder.Where(job => IsOutOfRetries(job, failed, fault.Host)).ToList())
        {
            _waiting.Remove(job);
            job.LastFault = fault.Message;
            Drop(job);
            givenUp.Add(job);
        }
    }

    /// <summary>Whether a job waits for the registry whose retries the failed job used up.</summary>
    private static bool IsOutOfRetries(PopulationJob job, PopulationJob failed, RegistryName? host) =>
        job.Target == failed.Target && job.Target.Registry == host
        || job.Sources.Count > 0 && job.Sources.All(source => source.Registry == host && failed.RegistriesAtStart.Contains(source));
}
