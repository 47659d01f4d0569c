using ProxySwapper.Configuration;

namespace ProxySwapper.Mirroring;

/// <summary>A valid mirror file.</summary>
/// <param name="Images">The repositories, in the file's order.</param>
/// <param name="Registries">
/// How to connect and authenticate to hosts; the same section <c>registries</c> as in the program's configuration.
/// </param>
internal sealed record MirrorFile(IReadOnlyList<MirrorImage> Images, IReadOnlyList<RegistryEntryOptions> Registries);
