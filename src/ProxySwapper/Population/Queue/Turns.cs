namespace ProxySwapper.Population.Queue;

/// <summary>
/// Who was served when: the one that waits longest since its last turn is next. Bounded, since names come from outside: when there are
/// too many, all begin anew. Belongs to the queue and its lock.
/// </summary>
internal sealed class Turns
{
    private const int Capacity = 10_000;

    private readonly Dictionary<string, long> _last = new(StringComparer.Ordinal);
    private long _now;

    /// <summary>When somebody had a turn last; 0 for nobody that is known.</summary>
    public long LastOf(string name) => _last.GetValueOrDefault(name);

    public void Served(string name)
    {
        if (_last.Count >= Capacity)
            _last.Clear();
        _last[name] = ++_now;
    }
}
