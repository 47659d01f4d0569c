using ProxySwapper.Registry.Timing;

namespace ProxySwapper.Population.Queue;

/// <summary>The most recently finished images, for the status page.</summary>
internal sealed class FinishedImages(TimeProvider time)
{
    private const int Limit = 50;

    private readonly SteadyClock _clock = new(time);
    private readonly Lock _gate = new();
    private readonly Queue<FinishedImage> _images = new();

    public void Add(PopulationJob job, TransferResult result, TimeSpan duration)
    {
        lock (_gate)
        {
            _images.Enqueue(new FinishedImage(job.Work.Target.ToString(), result.Outcome, result.Bytes, duration, _clock.UtcNow));
            if (_images.Count > Limit)
                _images.Dequeue();
        }
    }

    /// <summary>Most recent first.</summary>
    public IReadOnlyList<FinishedImage> Snapshot()
    {
        lock (_gate)
            return [.. _images.Reverse().Select(image => image with { At = _clock.ToSystemTime(image.At) })];
    }
}

/// <summary>A finished image.</summary>
/// <param name="Target">The image downstream.</param>
/// <param name="Outcome">What was done.</param>
/// <param name="Bytes">Bytes copied.</param>
/// <param name="Duration">How long it took.</param>
/// <param name="At">When it finished.</param>
internal sealed record FinishedImage(string Target, TransferOutcome Outcome, long Bytes, TimeSpan Duration, DateTimeOffset At);
