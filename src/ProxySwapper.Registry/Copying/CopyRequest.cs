using System.Diagnostics;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Registry.Oci;

namespace ProxySwapper.Registry.Copying;

/// <summary>One image to copy, with everything it references.</summary>
/// <param name="Source">The source: a tag, a digest, or both (then the digest counts).</param>
/// <param name="Target">
/// The target: its tag is written if it has one; with a digest, exactly that digest is written, whatever the platforms.
/// </param>
public sealed record CopyRequest(ImageReference Source, ImageReference Target)
{
    /// <summary>Credentials for the source. Default anonymous.</summary>
    public IRegistryCredentialSource SourceCredentials { get; init; } = CredentialChain.Anonymous;

    /// <summary>Credentials for the target. Default anonymous.</summary>
    public IRegistryCredentialSource TargetCredentials { get; init; } = CredentialChain.Anonymous;

    /// <summary>The platforms of an index to copy; empty (default) copies all and keeps the digest.</summary>
    public IReadOnlyList<Platform> Platforms { get; init; } = [];

    /// <summary>What to write if <see cref="Platforms"/> leaves some out. Default a new index of those platforms.</summary>
    public PlatformSubset Subset { get; init; } = PlatformSubset.NewIndex;

    /// <summary>Also copies referrers (signatures, SBOMs) and cosign's tags. Default false.</summary>
    public bool Referrers { get; init; }

    /// <summary>Additional tags for the same content at the target; default none.</summary>
    public IReadOnlyList<string> ExtraTags { get; init; } = [];

    /// <summary>
    /// Called if the target's repository does not exist (or, as ECR does, the upload is dropped); returns true if it was created and the
    /// copy should continue. Null (default): the copy fails.
    /// </summary>
    public Func<ImageReference, CancellationToken, ValueTask<bool>>? CreateRepository { get; init; }

    /// <summary>
    /// Called before a tag of the target is moved, with the tag and what it points at. If it returns false, the copy fails with a
    /// <see cref="CopyException"/> before anything is written; a tag of cosign stays (<see cref="CopyOmissions.KeptTags"/>). Null
    /// (default): tags may be moved.
    /// </summary>
    public Func<string, Descriptor, CancellationToken, ValueTask<bool>>? MayOverwrite { get; init; }

    /// <summary>
    /// Whether a list of referrers under a fallback tag is added to that of the target, whatever <see cref="MayOverwrite"/> says; otherwise
    /// it is an image like others.
    /// </summary>
    public bool MergesReferrers { get; init; } = true;

    /// <summary>
    /// Called after the content is at the target and before its names are written; an exception ends the copy before a name moves. Null
    /// (default): nothing.
    /// </summary>
    public Func<CancellationToken, Task>? BeforeNaming { get; init; }

    /// <summary>
    /// Timeout of the whole copy, which then ends with a <see cref="TimeoutException"/>. Null (default) for none. Blobs have their own
    /// limit: <see cref="RegistryOptions.MinThroughput"/>.
    /// </summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Spans to which the copy's own span is linked. Default none.</summary>
    public IReadOnlyList<ActivityContext> Causes { get; init; } = [];

    /// <summary>Receives the progress of blobs, or null.</summary>
    public IProgress<CopyProgress>? Progress { get; init; }
}

/// <summary>What a copy of some platforms of an index writes.</summary>
public enum PlatformSubset
{
    /// <summary>A new, valid index of those platforms; its digest is a new one.</summary>
    NewIndex,

    /// <summary>The original index with its digest but without the other children; many registries reject it.</summary>
    Sparse,

    /// <summary>Only the manifest of the single platform.</summary>
    Flatten,
}
