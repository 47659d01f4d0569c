namespace ProxySwapper.Population;

/// <summary>The images that were given up last, for an operator to see; those that came downstream later are taken out. Bounded.</summary>
internal sealed class GivenUpImages(TimeProvider time)
{
    private const int Capacity = 200;

    private readonly Lock _gate = new();
    private readonly LinkedList<GivenUpImage> _images = new();

    public IReadOnlyList<GivenUpImage> Snapshot()
    {
        lock (_gate) return [.. _images];
    }

    public void Add(PopulationJob job)
    {
        lock (_gate)
        {
            Remove(job.Work.Key);
            _images.AddFirst(new GivenUpImage(job.Work, job.LastFault ?? "", job.Failures, time.GetUtcNow()));
            if (_images.Count > Capacity) _images.RemoveLast();
        }
    }

    public void Forget(string key)
    {
        lock (_gate) Remove(key);
    }

    private void Remove(string key)
    {
        for (var node = _images.First; node is not null; node = node.Next)
        {
            if (node.Value.Work.Key != key) continue;
            _images.Remove(node);
            return;
        }
    }
}

/// <summary>An image that did not come downstream.</summary>
internal sealed record GivenUpImage(PopulationWork Work, string Fault, int Failures, DateTimeOffset At);
