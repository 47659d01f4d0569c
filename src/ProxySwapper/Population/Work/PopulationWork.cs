using ProxySwapper.Registry;
using ProxySwapper.Registry.Oci;

namespace ProxySwapper.Population.Work;

/// <summary>What has to happen so that an image is downstream.</summary>
/// <param name="Target">The image downstream: work with the same target is the same work.</param>
internal abstract record PopulationWork(ImageReference Target)
{
    /// <summary>What the work is known by while it is queued, in flight and remembered.</summary>
    public string Key => Target.ToString();

    /// <summary>Where the image comes from.</summary>
    public abstract ImageReference Origin { get; }

    /// <summary>True when the target names content and no tag that may move.</summary>
    public bool IsPinned => Target.Digest is not null;
}

/// <summary>Copies an image from one registry to another.</summary>
/// <param name="Source">Where it is.</param>
/// <param name="Target">Where it shall be.</param>
/// <param name="Platforms">
/// The platforms to take; empty takes all. One platform alone is written as its manifest, several as an index.
/// </param>
internal sealed record CopyWork(ImageReference Source, ImageReference Target, IReadOnlyList<Platform> Platforms) : PopulationWork(Target)
{
    public override ImageReference Origin => Source;
}

/// <summary>Pulls an image through a cache as a node would, so that the cache holds it.</summary>
/// <param name="Target">The image as the cache names it.</param>
/// <param name="ChildRepository">The repository of the cache that the platform's manifest and the blobs are asked of.</param>
/// <param name="Platform">The platform to pull of an index.</param>
internal sealed record WarmUpWork(ImageReference Target, string ChildRepository, Platform Platform) : PopulationWork(Target)
{
    public override ImageReference Origin => Target;
}
