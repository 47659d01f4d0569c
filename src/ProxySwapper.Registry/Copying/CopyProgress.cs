using ProxySwapper.Registry.Oci;

namespace ProxySwapper.Registry.Copying;

/// <summary>A step of one blob's way.</summary>
/// <param name="Blob">The blob.</param>
/// <param name="Step">What happened.</param>
/// <param name="Bytes">Bytes sent so far, of the blob's size.</param>
public sealed record CopyProgress(Descriptor Blob, CopyStep Step, long Bytes);
