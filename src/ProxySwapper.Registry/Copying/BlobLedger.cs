using System.Collections.Concurrent;

namespace ProxySwapper.Registry.Copying;

/// <summary>
/// What the copies of one run know of the blobs of target hosts, and which are under way: each digest is moved to a host by one copy,
/// and the others wait for it. What is known grows old, since a registry may clean up behind our back.
/// </summary>
internal sealed class BlobLedger(TimeProvider time)
{
    private const int MaximumEntries = 100_000;
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    private readonly ConcurrentDictionary<(string Host, Digest Digest), BlobEntry> _entries = new();
    private long _sequence;

    /// <summary>A place in the order of copies, from which it follows who waits for whom.</summary>
    public CopyTicket Enter() => new(Interlocked.Increment(ref _sequence));

    /// <summary>All that is known of a blob on a host.</summary>
    public BlobEntry EntryOf(string host, Digest digest)
    {
        if (_entries.Count > MaximumEntries) _entries.Clear();
        return _entries.GetOrAdd((host, digest), _ => new BlobEntry(time, Lifetime));
    }
}

/// <summary>One copy of an image among those of a run.</summary>
/// <param name="Sequence">Its place; copies wait for earlier ones alone, so that no two wait for each other.</param>
internal sealed record CopyTicket(long Sequence)
{
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends when the copy did: then its blobs belong to a committed manifest, or it failed.</summary>
    public Task Ended => _ended.Task;

    public void End() => _ended.TrySetResult();
}

/// <summary>One blob on one host.</summary>
internal sealed class BlobEntry(TimeProvider time, TimeSpan lifetime)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, DateTimeOffset> _repositories = new(StringComparer.Ordinal);
    private Task? _moving;
    private CopyTicket? _mover;

    /// <summary>True when the repository was seen to have the blob not long ago.</summary>
    public bool IsIn(string repository)
    {
        lock (_gate) return _repositories.TryGetValue(repository, out var seen) && time.GetUtcNow() - seen < lifetime;
    }

    /// <summary>A repository to mount from, or null.</summary>
    public string? OtherThan(string repository)
    {
        lock (_gate)
            return _repositories.Where(entry => entry.Key != repository && time.GetUtcNow() - entry.Value < lifetime).OrderBy(entry => entry.Value).Select(entry => entry.Key).FirstOrDefault();
    }

    public void Add(string repository)
    {
        lock (_gate) _repositories[repository] = time.GetUtcNow();
    }

    /// <summary>Forgets what turned out to be wrong.</summary>
    public void Remove(string repository)
    {
        lock (_gate) _repositories.Remove(repository);
    }

    /// <summary>
    /// Becomes the one who moves the blob, or learns who does: then the task ends with that transfer.
    /// </summary>
    public bool TryLead(CopyTicket ticket, TaskCompletionSource moved, out Task? moving)
    {
        lock (_gate)
        {
            moving = _moving;
            if (_moving is { IsCompleted: false }) return false;
            (_moving, _mover) = (moved.Task, ticket);
            return true;
        }
    }

    /// <summary>Ends with the transfer that is under way, if there is one.</summary>
    public Task Moving
    {
        get { lock (_gate) return _moving ?? Task.CompletedTask; }
    }

    /// <summary>The copy that moved the blob last, or null.</summary>
    public CopyTicket? Mover
    {
        get { lock (_gate) return _mover; }
    }
}
