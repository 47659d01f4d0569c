using System.Collections.Concurrent;

namespace ProxySwapper.Population.Cluster;

/// <summary>
/// The namespaces of which the API server has shown a Pod. A review may be forged and name any namespace, so those that only reviews have
/// named share little room. Bounded. Thread-safe.
/// </summary>
internal sealed class SeenNamespaces
{
    private const int Capacity = 10_000;

    private readonly ConcurrentDictionary<string, bool> _seen = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _oldest = new();
    private volatile bool _isIncomplete;

    /// <summary>The rewritten Pods of the cluster are about to be listed for the first time: only new ones were shown so far.</summary>
    public void ListStarted() => _isIncomplete = true;

    /// <summary>All of them were shown.</summary>
    public void ListCompleted() => _isIncomplete = false;

    /// <summary>The API server has shown a Pod of a namespace.</summary>
    public void Add(string @namespace)
    {
        if (!_seen.TryAdd(@namespace, true))
            return;
        _oldest.Enqueue(@namespace);
        if (_oldest.Count > Capacity && _oldest.TryDequeue(out var oldest))
            _seen.TryRemove(oldest, out _);
    }

    /// <summary>
    /// Whether the API server has shown a Pod of a namespace; true for all until it has shown one of any, as without an API server, and
    /// until the first list is through: namespaces that exist would count as forged after every start.
    /// </summary>
    public bool Contains(string @namespace) => _isIncomplete || _seen.IsEmpty || _seen.ContainsKey(@namespace);
}
