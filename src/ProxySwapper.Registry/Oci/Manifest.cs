namespace ProxySwapper.Registry.Oci;

/// <summary>A manifest as the bytes that came: what is pushed on is exactly what was pulled, so that its digest stays.</summary>
/// <param name="MediaType">The media type, without parameters.</param>
/// <param name="Digest">The digest of <paramref name="Bytes"/>, computed here and never taken from a header.</param>
/// <param name="Bytes">The manifest, byte for byte.</param>
public sealed record Manifest(string MediaType, Digest Digest, ReadOnlyMemory<byte> Bytes)
{
    /// <summary>This manifest as something that an index can name.</summary>
    public Descriptor Descriptor => new(MediaType, Digest, Bytes.Length);
}
