using System.Collections.Concurrent;

namespace ProxySwapper.Registry.Copying;

/// <summary>
/// Tracks the blobs of target hosts for the copies of one run: each digest of a source host is copied to a target host by one of them while
/// the others wait. Knowledge expires, since a registry may clean up in the meantime. Sources share nothing: one that is slow must not
/// keep images of others waiting, and one that claims to have a blob must not get at what came from another.
/// </summary>
/// <remarks>
/// Not a <see cref="Timing.SingleFlight{TKey,TResult}"/>: waiters do not share the result but check again for their own repository, they
/// only wait for earlier copies, and a stalled transfer may be overtaken.
/// </remarks>
internal sealed class BlobTracker(TimeProvider time)
{
    private const int MaxEntries = 100_000;
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    private readonly ConcurrentDictionary<(RegistryName Source, RegistryName Target, Digest Digest), TrackedBlob> _blobs = new();
    private long _sequence;

    /// <summary>The position in the order of copies, which decides who waits for whom.</summary>
    public CopySession Enter() => new(this, Interlocked.Increment(ref _sequence), time);

    /// <summary>The state of a source host's blob on a target host.</summary>
    public TrackedBlob Track(RegistryName source, RegistryName target, Digest digest)
    {
        if (_blobs.Count > MaxEntries)
            _blobs.Clear();
        return _blobs.GetOrAdd((source, target, digest), _ => new TrackedBlob(time, Lifetime));
    }
}

/// <summary>One blob of one source host on one target host.</summary>
internal sealed class TrackedBlob(TimeProvider time, TimeSpan lifetime)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, DateTimeOffset> _repositories = new(StringComparer.Ordinal);
    private Task? _copying;
    private CopySession? _copier;

    /// <summary>True if the repository was recently seen to have the blob.</summary>
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

    /// <summary>Removes what turned out to be wrong.</summary>
    public void Remove(string repository)
    {
        lock (_gate)
            _repositories.Remove(repository);
    }

    /// <summary>
    /// Starts copying the blob and returns null, or returns the copy that is doing so and a task that completes with its transfer. A
    /// stalled copy does not block others.
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

    /// <summary>Completes with the running transfer, if there is one.</summary>
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
