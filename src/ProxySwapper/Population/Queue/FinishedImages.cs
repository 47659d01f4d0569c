namespace ProxySwapper.Population.Queue;

/// <summary>The images that were brought downstream last, for people who look at what goes on.</summary>
internal sealed class FinishedImages(TimeProvider time)
{
    private const int Limit = 50;

    private readonly Lock _gate = new();
    private readonly Queue<FinishedImage> _images = new();

    public void Add(PopulationJob job, TransferResult result, TimeSpan duration)
    {
        lock (_gate)
        {
            _images.Enqueue(new FinishedImage(job.Work.Target.ToString(), result.Outcome, result.Bytes, duration, time.GetUtcNow()));
            if (_images.Count > Limit)
                _images.Dequeue();
        }
    }

    /// <summary>The last ones first.</summary>
    public IReadOnlyList<FinishedImage> Snapshot()
    {
        lock (_gate)
            return [.. _images.Reverse()];
    }
}

/// <summary>An image that is downstream.</summary>
/// <param name="Target">Where.</param>
/// <param name="Outcome">What was to be done.</param>
/// <param name="Bytes">Bytes moved.</param>
/// <param name="Duration">How long it took.</param>
/// <param name="At">When it was done.</param>
internal sealed record FinishedImage(string Target, TransferOutcome Outcome, long Bytes, TimeSpan Duration, DateTimeOffset At);
