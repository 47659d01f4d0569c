namespace ProxySwapper.Population;

/// <summary>
/// A registry as one party has it opened: the whole program, or a namespace with secrets of its own, since the limit of one user is
/// not that of another.
/// </summary>
/// <param name="Registry">The host, as references write it.</param>
/// <param name="Namespace">The namespace with secrets of its own, or null.</param>
internal sealed record HostLane(string Registry, string? Namespace)
{
    public static IReadOnlyList<HostLane> Of(PopulationWork work, PodOrigin origin)
    {
        var target = new HostLane(work.Target.Registry, null);
        var source = new HostLane(work.Origin.Registry, origin.PullSecrets.Count > 0 ? origin.Namespace : null);
        return source.Registry == target.Registry ? [target] : [source, target];
    }
}
