namespace ProxySwapper.Registry.Copying;

/// <summary>The result of a copy.</summary>
/// <param name="Outcome">Whether anything had to be written.</param>
/// <param name="SourceDigest">The source's digest.</param>
/// <param name="TargetDigest">The target's digest, which differs if platforms were left out.</param>
public sealed record CopyResult(CopyOutcome Outcome, Digest SourceDigest, Digest TargetDigest)
{
    /// <summary>Blobs that were streamed.</summary>
    public int BlobsCopied { get; init; }

    /// <summary>Blobs that the target's host mounted from another repository of its own.</summary>
    public int BlobsMounted { get; init; }

    /// <summary>Blobs that already existed.</summary>
    public int BlobsPresent { get; init; }

    /// <summary>Manifests and indexes written.</summary>
    public int ManifestsWritten { get; init; }

    /// <summary>What was left out.</summary>
    public CopyOmissions Omissions { get; init; } = new(SourceDigest);

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
