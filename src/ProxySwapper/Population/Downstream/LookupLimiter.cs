using ProxySwapper.Population.Cluster;
using ProxySwapper.Population.Queue;
using ProxySwapper.Registry;

namespace ProxySwapper.Population.Downstream;

/// <summary>
/// Limits how many lookups at a registry a namespace has at a time, for reviews and Pods together, since all namespaces share the
/// connections to it.
/// </summary>
internal sealed class LookupLimiter(SeenNamespaces seen)
{
    /// <summary>Lookups of one namespace at one registry: half of those that a registry gets at a time.</summary>
    public const int MaximumOfNamespace = 4;

    /// <summary>
    /// Lookups at one registry of all namespaces that only reviews have named: the other half stays free for namespaces that exist.
    /// </summary>
    public const int MaximumUnseen = 4;

    private readonly KeyedLimiter _namespaces = new(MaximumOfNamespace);
    private readonly KeyedLimiter _pods = new(MaximumOfNamespace);
    private readonly KeyedLimiter _unseen = new(MaximumUnseen);

    /// <summary>Waits for a place for a lookup of a review, which is given back on disposal.</summary>
    public ValueTask<IDisposable> EnterForReviewAsync(string @namespace, RegistryName registry, CancellationToken cancellationToken)
    {
        var place = _namespaces.EnterAsync(KeyOf(@namespace, registry), cancellationToken);
        return seen.Contains(@namespace) ? place : AlsoAsync(place, () => _unseen.EnterAsync(registry.Text, cancellationToken));
    }

    /// <summary>
    /// Waits for a place for a lookup of a Pod that the API server has shown, which is given back on disposal. However many Pods there are,
    /// a review of their namespace waits behind few.
    /// </summary>
    public ValueTask<IDisposable> EnterForPodAsync(string @namespace, RegistryName registry, CancellationToken cancellationToken)
    {
        var key = KeyOf(@namespace, registry);
        return AlsoAsync(_pods.EnterAsync(key, cancellationToken), () => _namespaces.EnterAsync(key, cancellationToken));
    }

    private static string KeyOf(string @namespace, RegistryName registry) => $"{@namespace}/{registry}";

    private static async ValueTask<IDisposable> AlsoAsync(ValueTask<IDisposable> first, Func<ValueTask<IDisposable>> second)
    {
        var outer = await first;
        try
        {
            return new Places(outer, await second());
        }
        catch
        {
            outer.Dispose();
            throw;
        }
    }

    private sealed record Places(IDisposable Outer, IDisposable Inner) : IDisposable
    {
        public void Dispose()
        {
            Inner.Dispose();
            Outer.Dispose();
        }
    }
}
