namespace ProxySwapper.Population.Queue;

/// <summary>What became of work that was handed to the queue.</summary>
internal enum EnqueueOutcome
{
    /// <summary>It was queued.</summary>
    Queued,

    /// <summary>It was queued or in flight already.</summary>
    Pending,

    /// <summary>The image is known to be there.</summary>
    Known,

    /// <summary>There was no room: the next Pod with that image tries again.</summary>
    Dropped,

    /// <summary>The program is ending.</summary>
    Closed,
}

/// <summary>What became of work, and the job that does it; null when nothing does.</summary>
internal readonly record struct EnqueueResult(EnqueueOutcome Outcome, PopulationJob? Job);
