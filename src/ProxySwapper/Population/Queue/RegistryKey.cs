using ProxySwapper.Population.Work;

namespace ProxySwapper.Population.Queue;

/// <summary>
/// A registry as one party uses it: the whole program, or a namespace with its own secrets, since rate limits are per user.
/// </summary>
/// <param name="Registry">The host, in the form used in references.</param>
/// <param name="Namespace">The namespace with its own secrets, or null.</param>
internal sealed record RegistryKey(string Registry, string? Namespace)
{
    public static IReadOnlyList<RegistryKey> Of(PopulationWork work, PodOrigin origin)
    {
        var target = new RegistryKey(work.Target.Registry, null);
        var source = new RegistryKey(work.Origin.Registry, origin.PullSecrets.Count > 0 ? origin.Namespace : null);
        return source.Registry == target.Registry ? [target] : [source, target];
    }
}
