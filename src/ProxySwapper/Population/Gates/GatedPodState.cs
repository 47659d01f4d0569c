namespace ProxySwapper.Population.Gates;

/// <summary>A gated Pod and how far its images are. Safe for many threads.</summary>
internal sealed class GatedPodState : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, string?> _errors = new(StringComparer.Ordinal);
    private readonly HashSet<string> _pending = new(StringComparer.Ordinal);
    private readonly HashSet<string> _downstream = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _ended = new();

    /// <summary>A Pod that is waited for from now on.</summary>
    /// <param name="pod">The Pod.</param>
    /// <param name="seenAt">Now.</param>
    /// <param name="wasListed">It was found in a list, so that it may wait for long already.</param>
    public GatedPodState(GatedPod pod, DateTimeOffset seenAt, bool wasListed)
    {
        Pod = pod;
        Since = wasListed && pod.CreatedAt < seenAt ? pod.CreatedAt : seenAt;
        Ended = _ended.Token;
    }

    /// <summary>The Pod as it was seen last.</summary>
    public GatedPod Pod { get; private set; }

    /// <summary>When it began to wait: by our own clock, where we saw that.</summary>
    public DateTimeOffset Since { get; }

    /// <summary>Ends when the Pod waits no more.</summary>
    public CancellationToken Ended { get; }

    /// <summary>Not before this time is it tried to let go.</summary>
    public DateTimeOffset NextTry { get; set; } = DateTimeOffset.MinValue;

    /// <summary>Tries that failed.</summary>
    public int Failures { get; set; }

    /// <summary>Whether a try is under way.</summary>
    public bool IsInFlight { get; set; }

    /// <summary>The Pod was seen again.</summary>
    /// <returns>The images that are not being waited for yet.</returns>
    public IReadOnlyList<GatedImage> Update(GatedPod seen)
    {
        lock (_gate)
        {
            Pod = seen;
            return
            [
                .. seen
                    .Images.DistinctBy(image => image.Image)
                    .Where(image => !_downstream.Contains(image.Image) && !_errors.ContainsKey(image.Image) && _pending.Add(image.Image)),
            ];
        }
    }

    /// <summary>An image is downstream.</summary>
    public void Arrived(string image)
    {
        lock (_gate)
        {
            _pending.Remove(image);
            _downstream.Add(image);
        }
    }

    /// <summary>An image was given up.</summary>
    public void Failed(string image, string error)
    {
        lock (_gate)
        {
            _pending.Remove(image);
            _errors[image] = error;
        }
    }

    public bool IsDownstream(string image)
    {
        lock (_gate)
            return _downstream.Contains(image);
    }

    /// <summary>Whether each image is downstream or given up.</summary>
    public bool IsSettled
    {
        get
        {
            lock (_gate)
                return _pending.Count == 0;
        }
    }

    /// <summary>Why not all images are downstream; null when they are.</summary>
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

    /// <summary>The Pod waits no more.</summary>
    public void Dispose()
    {
        _ended.Cancel();
        _ended.Dispose();
    }
}
