namespace ProxySwapper.Population.Cluster;

/// <summary>
/// How many new Events may be written: a burst and then a few per minute for each namespace, and a sum for all. Half of the sum is kept for
/// namespaces with few Events, so that a namespace whose images all fail leaves room for the others. Not thread-safe.
/// </summary>
internal sealed class EventBudget
{
    private const int Burst = 20;

    /// <summary>The Events of a namespace that may use the second half of the sum.</summary>
    private const int Few = 3;
    private const int TotalBurst = 200;
    private const int MaximumNamespaces = 1000;
    private static readonly TimeSpan Refill = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan TotalRefill = TimeSpan.FromSeconds(1);

    private readonly Dictionary<string, TokenBucket> _namespaces = new(StringComparer.Ordinal);
    private readonly TokenBucket _total = new(TotalBurst, TotalRefill);

    /// <summary>Takes an Event from the budget; false if there is none left for this namespace.</summary>
    public bool TryTake(string @namespace, DateTimeOffset now)
    {
        if (!_namespaces.TryGetValue(@namespace, out var own))
        {
            if (_namespaces.Count >= MaximumNamespaces)
                foreach (var (name, _) in _namespaces.Where(each => each.Value.At(now) >= Burst).ToList())
                    _namespaces.Remove(name);
            if (_namespaces.Count >= MaximumNamespaces)
                return false;
            _namespaces[@namespace] = own = new TokenBucket(Burst, Refill);
        }
        var needed = own.At(now) > Burst - Few ? 1 : TotalBurst / 2;
        if (own.At(now) < 1 || _total.At(now) < needed)
            return false;
        own.Take();
        _total.Take();
        return true;
    }

    private sealed class TokenBucket(int burst, TimeSpan refill)
    {
        private double _tokens = burst;
        private DateTimeOffset _refilledAt;

        /// <summary>What is left.</summary>
        public double At(DateTimeOffset now)
        {
            _tokens = Math.Min(burst, _tokens + Math.Max(0, (now - _refilledAt) / refill));
            _refilledAt = now;
            return _tokens;
        }

        public void Take() => _tokens--;
    }
}
