namespace ProxySwapper.Population.Gates;

/// <summary>A gated Pod and the state of its images. Thread-safe.</summary>
internal sealed class GatedPodState : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, string?> _errors = new(StringComparer.Ordinal);
    private readonly HashSet<string> _pending = new(StringComparer.Ordinal);
    private readonly HashSet<string> _downstream = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _ended = new();
    private bool _isRead;

    /// <summary>Starts tracking a Pod.</summary>
    /// <param name="pod">The Pod.</param>
    /// <param name="seenAt">The current time.</param>
    /// <param name="createdAt">When it was created, if it was found in a list and may have waited for long; otherwise null.</param>
    public GatedPodState(GatedPod pod, DateTimeOffset seenAt, DateTimeOffset? createdAt)
    {
        Pod = pod;
        Since = createdAt < seenAt ? createdAt.Value : seenAt;
        Ended = _ended.Token;
    }

    /// <summary>The Pod as last seen.</summary>
    public GatedPod Pod { get; private set; }

    /// <summary>When it began to wait, by our own clock.</summary>
    public DateTimeOffset Since { get; }

    /// <summary>Cancelled when the Pod no longer waits.</summary>
    public CancellationToken Ended { get; }

    /// <summary>The earliest time of the next attempt to release it.</summary>
    public DateTimeOffset NextTry { get; set; } = DateTimeOffset.MinValue;

    /// <summary>Failed attempts.</summary>
    public int Failures { get; set; }

    /// <summary>Whether an attempt is running.</summary>
    public bool IsInFlight { get; set; }

    /// <summary>Updates the Pod. It no longer waits for images that it no longer has.</summary>
    /// <returns>The images that are not yet being waited for.</returns>
    public IReadOnlyList<GatedImage> Update(GatedPod seen)
    {
        lock (_gate)
        {
            (Pod, _isRead) = (seen, true);
            var images = seen.Images.Select(image => image.Image).ToHashSet(StringComparer.Ordinal);
            _pending.IntersectWith(images);
            foreach (var image in _errors.Keys.Where(image => !images.Contains(image)).ToList())
                _errors.Remove(image);
            return
            [
                .. seen
                    .Images.DistinctBy(image => image.Image)
                    .Where(image => !_downstream.Contains(image.Image) && !_errors.ContainsKey(image.Image) && _pending.Add(image.Image)),
            ];
        }
    }

    /// <summary>Records that an image is downstream.</summary>
    public void Arrived(string image)
    {
        lock (_gate)
        {
            if (_pending.Remove(image))
                _downstream.Add(image);
        }
    }

    /// <summary>Records that an image failed.</summary>
    public void Failed(string image, string error)
    {
        lock (_gate)
        {
            if (_pending.Remove(image))
                _errors[image] = error;
        }
    }

    public bool IsDownstream(string image)
    {
        lock (_gate)
            return _downstream.Contains(image);
    }

    /// <summary>Whether each image is downstream or has failed; not before the first <see cref="Update"/>, which names them.</summary>
    public bool IsSettled
    {
        get
        {
            lock (_gate)
                return _isRead && _pending.Count == 0;
        }
    }

    /// <summary>Why not all images are downstream, or null if they are.</summary>
    public string? Describe(TimeSpan deadline)
    {
        lock (_gate)
        {
            if (_pending.Count == 0 && _errors.Count == 0)
                return null;
            var late = _pending.Select(image => $"{image} is not downstream after {deadline.TotalSeconds:0} s");
            return string.Join("; ", _errors.Select(pair => $"{pair.Key}: {pair.Value}").Concat(late).Order(StringComparer.Ordinal));
        }
    }

    /// <summary>Stops tracking the Pod.</summary>
    public void Dispose()
    {
        _ended.Cancel();
        _ended.Dispose();
    }
}
