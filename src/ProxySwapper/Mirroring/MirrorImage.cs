using ProxySwapper.Registry;
using ProxySwapper.Registry.Oci;

namespace ProxySwapper.Mirroring;

/// <summary>One entry of <c>images</c>: a repository, its destination, and which of its tags to mirror.</summary>
internal sealed record MirrorImage(string Name, ImageReference Source, ImageReference Destination)
{
    public TagFilter Filter { get; init; } = new();
    public bool ReplaceTag { get; init; }
    public IReadOnlyList<Platform> Platforms { get; init; } = [];
    public bool Referrers { get; init; }
}
