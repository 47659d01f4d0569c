namespace ProxySwapper.Population.Queue;

/// <summary>Limits concurrency per name: callers of the same name wait, others do not.</summary>
internal sealed class KeyedLimiter(int limit)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    /// <summary>Waits for a slot, which is released on disposal.</summary>
    public async ValueTask<IDisposable> EnterAsync(string name, CancellationToken cancellationToken)
    {
        Entry? entry;
        lock (_gate)
        {
            if (!_entries.TryGetValue(name, out entry))
                _entries[name] = entry = new Entry(new SemaphoreSlim(limit));
            entry.Users++;
        }
        try
        {
            await entry.Places.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            Leave(name, entry);
            throw;
        }
        return new Place(this, name, entry);
    }

    private void Leave(string name, Entry entry)
    {
        lock (_gate)
            if (--entry.Users == 0)
            {
                _entries.Remove(name);
                entry.Places.Dispose();
            }
    }

    private sealed class Entry(SemaphoreSlim places)
    {
        public SemaphoreSlim Places { get; } = places;
        public int Users { get; set; }
    }

    private sealed class Place(KeyedLimiter owner, string name, Entry entry) : IDisposable
    {
        public void Dispose()
        {
            entry.Places.Release();
            owner.Leave(name, entry);
        }
    }
}
