using ProxySwapper.Configuration;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Oci;
using ProxySwapper.Rules;

namespace ProxySwapper.Population.Work;

/// <summary>
/// Determines the work for an image. A <c>proxyCaches</c> block that warms a cache has priority, since nothing can be pushed to such a
/// cache; then the rule that rewrote the image; then a block that derives the upstream from the image's name.
/// </summary>
internal sealed class PopulationPlanner
{
    private readonly IReadOnlyList<Platform> _platforms;
    private readonly IReadOnlyList<WarmUpPattern> _warmUps;
    private readonly IReadOnlyList<ProxyCachePattern> _proxyCaches;

    private PopulationPlanner(
        IReadOnlyList<Platform> platforms,
        IReadOnlyList<WarmUpPattern> warmUps,
        IReadOnlyList<ProxyCachePattern> proxyCaches
    ) => (_platforms, _warmUps, _proxyCaches) = (platforms, warmUps, proxyCaches);

    /// <summary>Compiles validated options.</summary>
    public static PopulationPlanner Compile(PopulateOptions options) =>
        new(
            options.Platforms,
            [.. options.ProxyCaches.Where(block => block.RegexUrl is not null).Select(WarmUpPattern.Compile)],
            [.. options.ProxyCaches.Where(block => block.PatternEcrProxyCache is not null).Select(ProxyCachePattern.Compile)]
        );

    /// <summary>The work for an image with the rules' decision; null if there is none. Never throws.</summary>
    public PopulationWork? WorkFor(ImageDecision decision) =>
        decision switch
        {
            { Target: { } target, Populate: false } => WarmUp(target, decision.Image),
            { Target: { } target, Source: { } source } => WarmUp(target, decision.Image) as PopulationWork
                ?? new CopyWork(source, target, _platforms) { IsTargetShared = decision.IsTargetShared },
            { Reason: DecisionReason.NoRule or DecisionReason.AlreadyAtTarget, Source: { } final } => WarmUp(final, decision.Image)
                as PopulationWork
                ?? FromUpstream(final),
            _ => null,
        };

    /// <summary>Whether images of a repository are warmed, so that nothing is pushed there.</summary>
    public bool IsWarmedUp(RegistryName registry, string repository) =>
        _warmUps.Count > 0
        && ImageReference.TryParse($"{registry}/{repository}:latest", out var image)
        && WarmUp(image, image.ToString()) is not null;

    private WarmUpWork? WarmUp(ImageReference final, string asWritten)
    {
        foreach (var pattern in _warmUps)
            if (pattern.WorkFor(final, asWritten) is { } work)
                return work;
        return null;
    }

    private CopyWork? FromUpstream(ImageReference final)
    {
        foreach (var pattern in _proxyCaches)
            if (pattern.UpstreamOf(final) is { } upstream)
                return new CopyWork(upstream, final, pattern.Platform is { } platform ? [platform] : _platforms);
        return null;
    }
}
