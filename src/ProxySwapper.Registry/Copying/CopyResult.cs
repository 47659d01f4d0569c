namespace ProxySwapper.Registry.Copying;

/// <summary>The result of a copy.</summary>
/// <param name="Outcome">Whether anything had to be written.</param>
/// <param name="SourceDigest">The source's digest.</param>
/// <param name="TargetDigest">The target's digest, which differs if platforms were left out.</param>
public sealed record CopyResult(CopyOutcome Outcome, Digest SourceDigest, Digest TargetDigest)
{
    private const int MaxNamed = 5;

    /// <summary>Blobs that were streamed.</summary>
    public int BlobsCopied { get; init; }

    /// <summary>Blobs that the target's host mounted from another repository of its own.</summary>
    public int BlobsMounted { get; init; }

    /// <summary>Blobs that already existed.</summary>
    public int BlobsPresent { get; init; }

    /// <summary>Manifests and indexes written.</summary>
    public int ManifestsWritten { get; init; }

    /// <summary>Tags of cosign that differ at the target and stay, since they must not be overwritten.</summary>
    public IReadOnlyList<string> KeptTags { get; init; } = [];

    /// <summary>
    /// Referrers of the source itself, by digest, and cosign's tags for it, that were not copied: without platforms, the target has
    /// another digest. Empty without <see cref="CopyRequest.Referrers"/>.
    /// </summary>
    public IReadOnlyList<string> LeftReferrers { get; init; } = [];

    /// <summary>A sentence about <see cref="LeftReferrers"/>, null if there are none.</summary>
    public string? LeftReferrersText =>
        LeftReferrers.Count == 0
            ? null
            : $"referrers of {SourceDigest} that were not copied, since the digest differs without some platforms: "
                + string.Join(", ", LeftReferrers.Take(MaxNamed))
                + (LeftReferrers.Count > MaxNamed ? $" and {LeftReferrers.Count - MaxNamed} more" : "");

    /// <summary>Bytes of blobs streamed.</summary>
    public long BytesCopied { get; init; }
}

/// <summary>Whether a copy had to do anything.</summary>
public enum CopyOutcome
{
    /// <summary>The target already had the content.</summary>
    UpToDate,

    /// <summary>Something was written.</summary>
    Copied,
}
