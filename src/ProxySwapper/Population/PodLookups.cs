using ProxySwapper.Population.Downstream;
using ProxySwapper.Population.Queue;
using ProxySwapper.Population.Transfer;
using ProxySwapper.Population.Work;

namespace ProxySwapper.Population;

/// <summary>
/// Lookups that Pods wait for, a few of each namespace at a registry at a time (<see cref="LookupLimiter"/>), since a namespace may have
/// thousands of Pods.
/// </summary>
internal sealed class PodLookups(DownstreamLookup lookup, TagSources tagSources, LookupLimiter limiter)
{
    /// <summary>Whether an image is downstream.</summary>
    public async Task<ImagePresence> VerifyAsync(PopulationWork work, string @namespace, CancellationToken cancellationToken)
    {
        using (await limiter.EnterForPodAsync(@namespace, work.Target.Registry, cancellationToken))
            return await lookup.VerifyAsync(work.Target, cancellationToken);
    }

    /// <summary>
    /// That the target has an image of another source, where rules allow that; else null. Nobody can change a digest's content.
    /// </summary>
    public async Task<string?> OtherSourceAsync(PopulationWork work, string @namespace, CancellationToken cancellationToken)
    {
        if (work is not CopyWork { IsTargetShared: true, IsPinned: false } copy)
            return null;
        try
        {
            using var place = await limiter.EnterForPodAsync(@namespace, copy.Target.Registry, cancellationToken);
            return await tagSources.FindAsync(copy.Target, cancellationToken) is { } source && source != copy.Source.Name
                ? $"{copy.Target} is a copy of {source}"
                : null;
        }
        catch (Exception fault) when (FailureClassifier.IsExpected(fault))
        {
            return fault.Message;
        }
    }
}
