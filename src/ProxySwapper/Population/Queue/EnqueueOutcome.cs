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

/// <summary>The result of enqueueing work, and its job or null.</summary>
internal readonly record struct EnqueueResult(EnqueueOutcome Outcome, PopulationJob? Job);
