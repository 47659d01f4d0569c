namespace ProxySwapper.Registry.Transport;

/// <summary>Locks by name from a fixed number: two names may share one and then wait for each other.</summary>
internal sealed class KeyedLock
{
    private readonly SemaphoreSlim[] _stripes = [.. Enumerable.Range(0, 16).Select(_ => new SemaphoreSlim(1))];

    /// <summary>Waits for the name's lock, which is released on disposal.</summary>
    public async Task<IDisposable> EnterAsync(string name, CancellationToken cancellationToken)
    {
        var stripe = _stripes[(uint)string.GetHashCode(name, StringComparison.Ordinal) % _stripes.Length];
        await stripe.WaitAsync(cancellationToken);
        return new Hold(stripe);
    }

    private sealed class Hold(SemaphoreSlim stripe) : IDisposable
    {
        public void Dispose() => stripe.Release();
    }
}
