using ProxySwapper.Configuration;

namespace ProxySwapper.Mirroring;

/// <summary>A mirror file that was read and found good.</summary>
/// <param name="Images">The repositories, in the file's order.</param>
/// <param name="Registries">How hosts are reached and opened; the section <c>registries</c> of the program's own configuration.</param>
internal sealed record MirrorFile(IReadOnlyList<MirrorImage> Images, IReadOnlyList<RegistryEntryOptions> Registries);
