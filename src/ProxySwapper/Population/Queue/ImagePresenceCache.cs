using System.Diagnostics.CodeAnalysis;
using ProxySwapper.Registry.Timing;

namespace ProxySwapper.Population.Queue;

/// <summary>
/// Caches which images are downstream: digests forever, tags for a while. Bounded: the least recently used is evicted, which only costs
/// another lookup. Thread-safe.
/// </summary>
internal sealed class ImagePresenceCache(TimeProvider time, int capacity = 50_000)
{
    private readonly SteadyClock _clock = new(time);
    private readonly Lock _gate = new();
    private readonly Dictionary<string, LinkedListNode<Entry>> _entries = new(StringComparer.Ordinal);
    private readonly LinkedList<Entry> _byUse = new();

    public int Count
    {
        get
        {
            lock (_gate)
                return _entries.Count;
        }
    }

    public bool IsKnown(string key) => IsKnownWithin(key, null);

    /// <summary>Like <see cref="IsKnown"/>, but ignores older sightings, digests included.</summary>
    public bool IsKnownWithin(string key, TimeSpan? age)
    {
        lock (_gate)
        {
            if (!TryFind(key, out var node))
                return false;
            if (age is { } limit && _clock.UtcNow - node.Value.SeenAt >= limit)
                return false;
            _byUse.Remove(node);
            _byUse.AddLast(node);
            return true;
        }
    }

    /// <summary>The digest that an image had when it was seen, or null.</summary>
    public string? DigestOf(string key)
    {
        lock (_gate)
            return TryFind(key, out var node) ? node.Value.Digest : null;
    }

    /// <summary>Records that an image is downstream.</summary>
    /// <param name="key">The image.</param>
    /// <param name="duration">For how long; null for ever.</param>
    /// <param name="digest">Its digest, if known.</param>
    public void Remember(string key, TimeSpan? duration, string? digest = null)
    {
        if (duration <= TimeSpan.Zero)
            return;
        lock (_gate)
        {
            Remove(key);
            var now = _clock.UtcNow;
            _entries[key] = _byUse.AddLast(new Entry(key, now, duration is { } limit ? now + limit : null, digest));
            if (_entries.Count > capacity)
                Remove(_byUse.First!.Value.Key);
        }
    }

    public void Forget(string key)
    {
        lock (_gate)
            Remove(key);
    }

    private bool TryFind(string key, [NotNullWhen(true)] out LinkedListNode<Entry>? node)
    {
        if (!_entries.TryGetValue(key, out node))
            return false;
        if (node.Value.Until is not { } until || until > _clock.UtcNow)
            return true;
        Remove(key);
        return false;
    }

    private void Remove(string key)
    {
        if (_entries.Remove(key, out var node))
            _byUse.Remove(node);
    }

    private sealed record Entry(string Key, DateTimeOffset SeenAt, DateTimeOffset? Until, string? Digest);
}
