using ProxySwapper.Population.Work;

namespace ProxySwapper.Population.Queue;

/// <summary>
/// A registry as one party has it opened: the whole program, or a namespace with secrets of its own, since the limit of one user is
/// not that of another.
/// </summary>
/// <param name="Registry">The host, as references write it.</param>
/// <param name="Namespace">The namespace with secrets of its own, or null.</param>
internal sealed record RegistryKey(string Registry, string? Namespace)
{
    public static IReadOnlyList<RegistryKey> Of(PopulationWork work, PodOrigin origin)
    {
        var target = new RegistryKey(work.Target.Registry, null);
        var source = new RegistryKey(work.Origin.Registry, origin.PullSecrets.Count > 0 ? origin.Namespace : null);
        return source.Registry == target.Registry ? [target] : [source, target];
    }
}
