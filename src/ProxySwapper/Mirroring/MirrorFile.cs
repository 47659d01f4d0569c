using ProxySwapper.Configuration;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Oci;

namespace ProxySwapper.Mirroring;

/// <summary>A valid mirror file.</summary>
/// <param name="Images">The repositories, in the file's order.</param>
/// <param name="Registries">
/// How to connect and authenticate to hosts; the same section <c>registries</c> as in the program's configuration.
/// </param>
internal sealed record MirrorFile(IReadOnlyList<MirrorImage> Images, IReadOnlyList<RegistryEntryOptions> Registries);

/// <summary>One entry of <c>images</c>: a repository, its destination, and which of its tags to mirror.</summary>
internal sealed record MirrorImage(string Name, ImageReference Source, ImageReference Destination)
{
    public TagFilter Filter { get; init; } = new();
    public bool ReplaceTag { get; init; }
    public IReadOnlyList<Platform> Platforms { get; init; } = [];
    public bool Referrers { get; init; }

    /// <summary>Accepts that equal tags of other images with the same destination overwrite each other.</summary>
    public bool AllowSharedDestination { get; init; }
}
