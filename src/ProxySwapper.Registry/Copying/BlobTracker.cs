using System.Collections.Concurrent;

namespace ProxySwapper.Registry.Copying;

/// <summary>
/// What the copies of one run know of the blobs of target hosts, and which are under way: each digest is moved to a host by one copy,
/// and the others wait for it. What is known grows old, since a registry may clean up behind our back.
/// </summary>
internal sealed class BlobTracker(TimeProvider time)
{
    private const int MaximumEntries = 100_000;
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    private readonly ConcurrentDictionary<(string Host, Digest Digest), TrackedBlob> _entries = new();
    private long _sequence;

    /// <summary>A place in the order of copies, from which it follows who waits for whom.</summary>
    public CopySession Enter() => new(Interlocked.Increment(ref _sequence), time);

    /// <summary>All that is known of a blob on a host.</summary>
    public TrackedBlob EntryOf(string host, Digest digest)
    {
        if (_entries.Count > MaximumEntries)
            _entries.Clear();
        return _entries.GetOrAdd((host, digest), _ => new TrackedBlob(time, Lifetime));
    }
}

/// <summary>One blob on one host.</summary>
internal sealed class TrackedBlob(TimeProvider time, TimeSpan lifetime)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, DateTimeOffset> _repositories = new(StringComparer.Ordinal);
    private Task? _moving;
    private CopySession? _mover;

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
    /// Becomes the one who moves the blob, null; or learns who does, and the task that ends with that transfer. A mover that has fallen
    /// silent does not keep others from it.
    /// </summary>
    public (CopySession Mover, Task Moving)? Lead(CopySession ticket, TaskCompletionSource moved)
    {
        lock (_gate)
        {
            if (_moving is { IsCompleted: false } && _mover is { IsStalled: false })
                return (_mover, _moving);
            (_moving, _mover) = (moved.Task, ticket);
            return null;
        }
    }

    /// <summary>Ends with the transfer that is under way, if there is one.</summary>
    public Task Moving
    {
        get
        {
            lock (_gate)
                return _moving ?? Task.CompletedTask;
        }
    }

    /// <summary>The copy that moved the blob last, or null.</summary>
    public CopySession? Mover
    {
        get
        {
            lock (_gate)
                return _mover;
        }
    }
}
