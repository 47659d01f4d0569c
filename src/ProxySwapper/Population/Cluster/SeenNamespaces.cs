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

    /// <summary>The API server has shown a Pod of a namespace.</summary>
    public void Add(string @namespace)
    {
        if (_seen.ContainsKey(@namespace))
            return;
        if (_seen.Count >= Capacity)
            _seen.Clear();
        _seen[@namespace] = true;
    }

    /// <summary>
    /// Whether the API server has shown a Pod of a namespace; true for all until it has shown one of any, as without an API server.
    /// </summary>
    public bool Contains(string @namespace) => _seen.IsEmpty || _seen.ContainsKey(@namespace);
}
