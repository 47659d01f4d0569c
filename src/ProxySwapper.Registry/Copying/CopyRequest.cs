using System.Diagnostics;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Registry.Oci;

namespace ProxySwapper.Registry.Copying;

/// <summary>One image to copy, with everything below it.</summary>
/// <param name="Source">Where it is: a tag, a digest, or both (then the digest counts).</param>
/// <param name="Target">
/// Where it shall be: its tag is written when it has one; with a digest, exactly that digest is written, whatever the platforms.
/// </param>
public sealed record CopyRequest(ImageReference Source, ImageReference Target)
{
    /// <summary>Opens the source. Default anonymous.</summary>
    public IRegistryCredentialSource SourceCredentials { get; init; } = CredentialChain.Anonymous;

    /// <summary>Opens the target. Default anonymous.</summary>
    public IRegistryCredentialSource TargetCredentials { get; init; } = CredentialChain.Anonymous;

    /// <summary>The platforms to take of an index; empty (default) takes all and keeps the digest.</summary>
    public IReadOnlyList<Platform> Platforms { get; init; } = [];

    /// <summary>What is written when <see cref="Platforms"/> leaves some out. Default a new index of those platforms.</summary>
    public PlatformSubset Subset { get; init; } = PlatformSubset.NewIndex;

    /// <summary>Takes along what refers to the image (signatures, SBOMs), and cosign's tags. Default false.</summary>
    public bool Referrers { get; init; }

    /// <summary>Further tags for the same content at the target; default none.</summary>
    public IReadOnlyList<string> ExtraTags { get; init; } = [];

    /// <summary>
    /// Called when the target says that its repository is unknown (or, as ECR does, drops the upload); true when it was created and
    /// the copy shall go on. Null (default): such a target fails.
    /// </summary>
    public Func<ImageReference, CancellationToken, ValueTask<bool>>? CreateRepository { get; init; }

    /// <summary>
    /// Asked before a tag of the target that points at something else is moved: the tag, what it points at, and whether it may. False
    /// leaves it, and the copy fails with a <see cref="CopyException"/> before anything was written. Null (default): it may.
    /// </summary>
    public Func<string, Descriptor, CancellationToken, ValueTask<bool>>? MayOverwrite { get; init; }

    /// <summary>
    /// How long the whole copy may take; what is slower ends with a <see cref="TimeoutException"/>. Null (default) for no limit. Its
    /// blobs have a limit of their own: <see cref="RegistryOptions.MinThroughput"/>.
    /// </summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>The spans on whose account the image is copied; the copy's own span is linked to them. Default none.</summary>
    public IReadOnlyList<ActivityContext> Causes { get; init; } = [];

    /// <summary>Told of each blob's way, or null.</summary>
    public IProgress<CopyProgress>? Progress { get; init; }
}

/// <summary>What a copy of some platforms of an index writes.</summary>
public enum PlatformSubset
{
    /// <summary>A new, valid index of those platforms; its digest is a new one.</summary>
    NewIndex,

    /// <summary>The original index with its digest, children missing; many registries refuse it.</summary>
    Sparse,

    /// <summary>The one platform's manifest alone.</summary>
    Flatten,
}
