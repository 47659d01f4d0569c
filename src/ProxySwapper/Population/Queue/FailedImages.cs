using ProxySwapper.Population.Work;
using ProxySwapper.Registry.Timing;

namespace ProxySwapper.Population.Queue;

/// <summary>The most recent failed images, for the operator; images that arrive later are removed. Bounded.</summary>
internal sealed class FailedImages(TimeProvider time)
{
    private const int Capacity = 200;

    private readonly SteadyClock _clock = new(time);
    private readonly Lock _gate = new();
    private readonly LinkedList<FailedImage> _images = new();

    public IReadOnlyList<FailedImage> Snapshot()
    {
        lock (_gate)
            return [.. _images.Select(image => image with { At = _clock.ToSystemTime(image.At) })];
    }

    public void Add(PopulationJob job)
    {
        lock (_gate)
        {
            Remove(job.Work.Key);
            _images.AddFirst(new FailedImage(job.Work, job.LastFault ?? "", job.Failures, _clock.UtcNow));
            if (_images.Count > Capacity)
                _images.RemoveLast();
        }
    }

    public void Forget(string key)
    {
        lock (_gate)
            Remove(key);
    }

    private void Remove(string key)
    {
        for (var node = _images.First; node is not null; node = node.Next)
        {
            if (node.Value.Work.Key != key)
                continue;
            _images.Remove(node);
            return;
        }
    }
}

/// <summary>An image that could not be brought downstream.</summary>
internal sealed record FailedImage(PopulationWork Work, string Fault, int Failures, DateTimeOffset At);
