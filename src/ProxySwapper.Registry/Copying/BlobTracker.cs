using System.Collections.Concurrent;

namespace ProxySwapper.Registry.Copying;

/// <summary>
/// What the copies of one run know of the blobs of target hosts, and which are under way: each digest is copied to a host by one of them,
/// and the others wait for it. What is known grows old, since a registry may clean up behind our back.
/// </summary>
internal sealed class BlobTracker(TimeProvider time)
{
    private const int MaxEntries = 100_000;
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    private readonly ConcurrentDictionary<(string Host, Digest Digest), TrackedBlob> _blobs = new();
    private long _sequence;

    /// <summary>A place in the order of copies, from which it follows who waits for whom.</summary>
    public CopySession Enter() => new(this, Interlocked.Increment(ref _sequence), time);

    /// <summary>All that is known of a blob on a host.</summary>
    public TrackedBlob Track(string host, Digest digest)
    {
        if (_blobs.Count > MaxEntries)
            _blobs.Clear();
        return _blobs.GetOrAdd((host, digest), _ => new TrackedBlob(time, Lifetime));
    }
}

/// <summary>One blob on one host.</summary>
internal sealed class TrackedBlob(TimeProvider time, TimeSpan lifetime)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, DateTimeOffset> _repositories = new(StringComparer.Ordinal);
    private Task? _copying;
    private CopySession? _copier;

    /// <summary>True when the repository was seen to have the blob not long ago.</summary>
    public bool IsIn(string repository)
    {
        lock (_gate)
            return _repositories.TryGetValue(repository, out var seen) && time.GetUtcNow() - seen < lifetime;
    }

    /// <summary>A repository to mount from, or null.</summary>
    public string? OtherThan(string repository)
    {
        lock (_gate)
            return _repositories
                .Where(entry => entry.Key != repository && time.GetUtcNow() - entry.Value < lifetime)
                .OrderBy(entry => entry.Value)
                .Select(entry => entry.Key)
                .FirstOrDefault();
    }

    public void Add(string repository)
    {
        lock (_gate)
            _repositories[repository] = time.GetUtcNow();
    }

    /// <summary>Forgets what turned out to be wrong.</summary>
    public void Remove(string repository)
    {
        lock (_gate)
            _repositories.Remove(repository);
    }

    /// <summary>
    /// Begins to copy the blob, null; or tells which copy does, and the task that ends with that transfer. A copy that stands still does
    /// not keep others from it.
    /// </summary>
    public (CopySession Copier, Task Copying)? Begin(CopySession session, TaskCompletionSource copied)
    {
        lock (_gate)
        {
            if (_copying is { IsCompleted: false } && _copier is { IsStalled: false })
                return (_copier, _copying);
            (_copying, _copier) = (copied.Task, session);
            return null;
        }
    }

    /// <summary>Ends with the transfer that is under way, if there is one.</summary>
    public Task Copying
    {
        get
        {
            lock (_gate)
                return _copying ?? Task.CompletedTask;
        }
    }

    /// <summary>The copy that transferred the blob last, or null.</summary>
    public CopySession? Copier
    {
        get
        {
            lock (_gate)
                return _copier;
        }
    }
}
