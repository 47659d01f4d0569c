namespace ProxySwapper.Registry.Copying;

/// <summary>How a copy ended.</summary>
/// <param name="Outcome">Whether anything had to be written.</param>
/// <param name="SourceDigest">What the source points at.</param>
/// <param name="TargetDigest">What the target points at now; another one when platforms were left out.</param>
public sealed record CopyResult(CopyOutcome Outcome, Digest SourceDigest, Digest TargetDigest)
{
    /// <summary>Blobs that were streamed.</summary>
    public int BlobsCopied { get; init; }

    /// <summary>Blobs that the target's host mounted from another repository of its own.</summary>
    public int BlobsMounted { get; init; }

    /// <summary>Blobs that were there.</summary>
    public int BlobsPresent { get; init; }

    /// <summary>Manifests and indexes written.</summary>
    public int ManifestsWritten { get; init; }

    /// <summary>Bytes of blobs streamed.</summary>
    public long BytesCopied { get; init; }
}

/// <summary>Whether a copy had anything to do.</summary>
public enum CopyOutcome
{
    /// <summary>The target pointed at the content already.</summary>
    UpToDate,

    /// <summary>Something was written.</summary>
    Copied,
}
