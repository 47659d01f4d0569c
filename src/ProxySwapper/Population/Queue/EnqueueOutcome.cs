namespace ProxySwapper.Population.Queue;

/// <summary>The result of enqueueing work.</summary>
internal enum EnqueueOutcome
{
    /// <summary>It was queued.</summary>
    Queued,

    /// <summary>It was already queued or in flight.</summary>
    Pending,

    /// <summary>The image is known to be downstream.</summary>
    Known,

    /// <summary>The queue is full; the next Pod with that image retries.</summary>
    Dropped,

    /// <summary>The program is shutting down.</summary>
    Closed,
}

/// <summary>The result of enqueueing work.</summary>
/// <param name="Outcome">The outcome.</param>
/// <param name="Job">The job of the work, or null.</param>
/// <param name="Displaced">The job of another namespace that was removed from a full queue for it, or null.</param>
internal readonly record struct EnqueueResult(EnqueueOutcome Outcome, PopulationJob? Job, PopulationJob? Displaced = null)
{
    /// <summary>Whether an image, this one or another, found the queue full.</summary>
    public bool IsFull => Outcome == EnqueueOutcome.Dropped || Displaced is not null;
}
