using ProxySwapper.Registry.Oci;

namespace ProxySwapper.Registry.Copying;

/// <summary>What a copy would do.</summary>
/// <param name="SourceDigest">What the source points at.</param>
/// <param name="TargetDigest">What the target would point at.</param>
/// <param name="Manifests">Manifests and indexes that would be written, children first.</param>
/// <param name="Blobs">Blobs that would be moved or mounted.</param>
/// <param name="Requests">Requests that would change the target.</param>
public sealed record CopyPlan(
    Digest SourceDigest,
    Digest TargetDigest,
    IReadOnlyList<Descriptor> Manifests,
    IReadOnlyList<Descriptor> Blobs,
    int Requests
)
{
    /// <summary>True when nothing is to do.</summary>
    public bool IsUpToDate => Manifests.Count == 0 && Blobs.Count == 0;

    /// <summary>Bytes of the blobs, at the most: some may be mounted.</summary>
    public long Bytes => Blobs.Sum(blob => blob.Size);
}
