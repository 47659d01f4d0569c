using ProxySwapper.Population.Work;

namespace ProxySwapper.Population.Queue;

/// <summary>
/// A registry as one party uses it: the whole program, or a namespace with its own secrets, since rate limits are per user.
/// </summary>
/// <param name="Registry">The host, in the form used in references.</param>
/// <param name="Namespace">The namespace with its own secrets, or null.</param>
internal sealed record RegistryKey(string Registry, string? Namespace)
{
    /// <summary>The ways to the source of work; none where source and target are one registry.</summary>
    public static IReadOnlyList<RegistryKey> SourcesOf(PopulationWork work, IReadOnlyList<PodOrigin> origins) =>
        work.Origin.Registry == work.Target.Registry
            ? []
            :
            [
                .. origins
                    .Select(origin => new RegistryKey(work.Origin.Registry, origin.PullSecrets.Count > 0 ? origin.Namespace : null))
                    .Distinct(),
            ];
}
