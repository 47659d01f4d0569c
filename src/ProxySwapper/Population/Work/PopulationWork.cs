using ProxySwapper.Registry;
using ProxySwapper.Registry.Oci;

namespace ProxySwapper.Population.Work;

/// <summary>The work that makes an image available downstream.</summary>
/// <param name="Target">The image downstream: work with the same target is the same work.</param>
internal abstract record PopulationWork(ImageReference Target)
{
    /// <summary>The key of the work in the queue and in caches.</summary>
    public string Key => Target.ToString();

    /// <summary>The source image.</summary>
    public abstract ImageReference Origin { get; }

    /// <summary>True if the target is addressed by digest, not by a tag that may move.</summary>
    public bool IsPinned => Target.Digest is not null;
}

/// <summary>Copies an image from one registry to another.</summary>
/// <param name="Source">The source image.</param>
/// <param name="Target">The target image.</param>
/// <param name="Platforms">
/// The platforms to copy; empty for all. A single platform is written as its manifest, several as an index.
/// </param>
internal sealed record CopyWork(ImageReference Source, ImageReference Target, IReadOnlyList<Platform> Platforms) : PopulationWork(Target)
{
    /// <summary>True if rules may send other sources to this target: then a tag only moves for the source it came from.</summary>
    public bool IsTargetShared { get; init; }

    public override ImageReference Origin => Source;
}

/// <summary>Pulls an image through a cache like a node does, so that the cache has it.</summary>
/// <param name="Target">The image's name in the cache.</param>
/// <param name="ChildRepository">The cache's repository for the platform's manifest and the blobs.</param>
/// <param name="Platform">The platform to pull from an index.</param>
internal sealed record WarmUpWork(ImageReference Target, string ChildRepository, Platform Platform) : PopulationWork(Target)
{
    public override ImageReference Origin => Target;
}
