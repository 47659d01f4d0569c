namespace ProxySwapper.Population.Queue;

/// <summary>
/// Round-robin by name: the one with the longest time since its last turn is next. Bounded, since names are external: if there are
/// too many, all start over. Used under the queue's lock.
/// </summary>
internal sealed class RoundRobin
{
    private const int Capacity = 10_000;

    private readonly Dictionary<string, long> _last = new(StringComparer.Ordinal);
    private long _now;

    /// <summary>When a name last had its turn; 0 if unknown.</summary>
    public long LastTurn(string name) => _last.GetValueOrDefault(name);

    public void TakeTurn(string name)
    {
        if (_last.Count >= Capacity)
            _last.Clear();
        _last[name] = ++_now;
    }
}
