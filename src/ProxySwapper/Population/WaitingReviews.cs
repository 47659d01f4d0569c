using ProxySwapper.Admission;
using ProxySwapper.Population.Cluster;
using ProxySwapper.Registry.Timing;

namespace ProxySwapper.Population;

/// <summary>
/// The reviews that wait before their response, limited by the memory that all of them hold. At the limit, the namespace that holds the
/// most gives way: its newest review gets its response at once, which may be the one that has just come. Namespaces that only reviews have
/// named, which may be forged, count as one.
/// </summary>
internal sealed class WaitingReviews(SeenNamespaces seen, TimeProvider time)
{
    /// <summary>In bytes: an eighth of the chart's default memory limit.</summary>
    public const long MaximumSize = 32 * 1024 * 1024;

    /// <summary>What a request and its wait hold in memory, in bytes.</summary>
    private const int RequestSize = 16 * 1024;

    /// <summary>What an image holds besides its text, in bytes: its references, decisions, and places in lists.</summary>
    private const int ImageSize = 1024;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Share> _shares = new(StringComparer.Ordinal);
    private long _size;

    /// <summary>Adds a review that is about to wait.</summary>
    /// <param name="pod">Its Pod.</param>
    /// <param name="limit">How long it may wait.</param>
    /// <param name="aborted">Cancelled when its client is gone.</param>
    /// <returns>The review, to be disposed of when it has waited; its token is already cancelled if there is no room for it.</returns>
    public WaitingReview Enter(AdmittedPod pod, TimeSpan limit, CancellationToken aborted)
    {
        var share = seen.Contains(pod.Namespace) ? pod.Namespace : "";
        var review = new WaitingReview(this, share, SizeOf(pod), limit, time, aborted);
        List<WaitingReview>? displaced = null;
        lock (_gate)
        {
            Add(review);
            while (_size > MaximumSize)
                (displaced ??= []).Add(RemoveNewest());
        }
        displaced?.ForEach(one => one.Displace(isWaiting: one != review));
        return review;
    }

    public void Leave(WaitingReview review)
    {
        lock (_gate)
            Remove(review);
    }

    private void Add(WaitingReview review)
    {
        if (!_shares.TryGetValue(review.Share, out var share))
            _shares[review.Share] = share = new Share();
        share.Reviews.AddLast(review.Node);
        share.Size += review.Size;
        _size += review.Size;
    }

    private WaitingReview RemoveNewest()
    {
        var review = _shares.Values.MaxBy(share => share.Size)!.Reviews.Last!.Value;
        Remove(review);
        return review;
    }

    private void Remove(WaitingReview review)
    {
        if (review.Node.List is null)
            return;
        var share = _shares[review.Share];
        share.Reviews.Remove(review.Node);
        share.Size -= review.Size;
        _size -= review.Size;
        if (share.Reviews.Count == 0)
            _shares.Remove(review.Share);
    }

    /// <summary>What a review holds while it waits, in bytes: the texts of the Pod, and its images as source and target.</summary>
    private static long SizeOf(AdmittedPod pod)
    {
        var characters = pod.TextLength;
        foreach (var (_, image) in pod.Images)
            characters += 2 * (image.Image.Length + (image.Target?.ToString().Length ?? 0));
        return RequestSize + ImageSize * (long)pod.Images.Length + sizeof(char) * characters;
    }

    /// <summary>The reviews of a namespace, or of all that only reviews have named, oldest first.</summary>
    private sealed class Share
    {
        public LinkedList<WaitingReview> Reviews { get; } = [];

        public long Size { get; set; }
    }
}

/// <summary>A review that waits before its response.</summary>
internal sealed class WaitingReview : IDisposable
{
    private readonly Lock _gate = new();
    private readonly WaitingReviews _owner;
    private readonly CancellationTokenSource _end;
    private readonly OperationTimeout _timeout;
    private volatile bool _isDisplaced;
    private bool _isDisposed;

    public WaitingReview(WaitingReviews owner, string share, long size, TimeSpan limit, TimeProvider time, CancellationToken aborted)
    {
        (_owner, Share, Size, Node) = (owner, share, size, new(this));
        _end = CancellationTokenSource.CreateLinkedTokenSource(aborted);
        _timeout = new OperationTimeout(limit, time, _end.Token);
    }

    /// <summary>
    /// Its namespace, or empty if only reviews had named that when it came: it does not change when the API server shows one of its Pods.
    /// </summary>
    public string Share { get; }

    /// <summary>What it holds in memory, in bytes.</summary>
    public long Size { get; }

    /// <summary>Its place among those of its share.</summary>
    public LinkedListNode<WaitingReview> Node { get; }

    /// <summary>Cancelled when it must not wait longer: its time is up, it made room for others, or its client is gone.</summary>
    public CancellationToken Token => _timeout.Token;

    /// <summary>Whether it had to make room for others.</summary>
    public bool IsDisplaced => _isDisplaced;

    /// <summary>Whether its time is up, and nothing else had ended its wait.</summary>
    public bool HasTimedOut => _timeout.HasPassed;

    /// <summary>Ends its wait.</summary>
    /// <param name="isWaiting">Whether it waits already: then the rest of it runs on another thread.</param>
    public void Displace(bool isWaiting)
    {
        _isDisplaced = true;
        lock (_gate)
            if (!_isDisposed && isWaiting)
                _ = _end.CancelAsync();
            else if (!_isDisposed)
                _end.Cancel();
    }

    public void Dispose()
    {
        _owner.Leave(this);
        lock (_gate)
            _isDisposed = true;
        _timeout.Dispose();
        _end.Dispose();
    }
}
