namespace ProxySwapper.Registry.Oci;

/// <summary>A manifest with its original bytes: what is pushed is exactly what was pulled, so that the digest stays the same.</summary>
/// <param name="MediaType">The media type, without parameters.</param>
/// <param name="Digest">The digest of <paramref name="Bytes"/>, always computed, never taken from a header.</param>
/// <param name="Bytes">The original bytes.</param>
public sealed record Manifest(string MediaType, Digest Digest, ReadOnlyMemory<byte> Bytes)
{
    /// <summary>A descriptor of this manifest.</summary>
    public Descriptor Descriptor => new(MediaType, Digest, Bytes.Length);
}
