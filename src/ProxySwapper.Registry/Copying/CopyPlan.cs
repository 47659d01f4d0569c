using ProxySwapper.Registry.Oci;

namespace ProxySwapper.Registry.Copying;

/// <summary>What a copy would do.</summary>
/// <param name="SourceDigest">The source's digest.</param>
/// <param name="TargetDigest">The target's future digest.</param>
/// <param name="Manifests">Manifests and indexes to write, children first.</param>
/// <param name="Blobs">Blobs to copy or mount.</param>
/// <param name="Requests">The number of requests that change the target.</param>
public sealed record CopyPlan(
    Digest SourceDigest,
    Digest TargetDigest,
    IReadOnlyList<Descriptor> Manifests,
    IReadOnlyList<Descriptor> Blobs,
    int Requests
)
{
    /// <summary>What would be left out.</summary>
    public CopyOmissions Omissions { get; init; } = new(SourceDigest);

    /// <summary>True if there is nothing to do.</summary>
    public bool IsUpToDate => Manifests.Count == 0 && Blobs.Count == 0;

    /// <summary>Bytes of the blobs, at most: some may be mounted.</summary>
    public long Bytes => Blobs.Sum(blob => blob.Size);
}
