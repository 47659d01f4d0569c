using ProxySwapper.Registry.Oci;

namespace ProxySwapper.Registry.Copying;

/// <summary>A step of one blob's way.</summary>
/// <param name="Blob">The blob.</param>
/// <param name="Step">What happened.</param>
/// <param name="Bytes">Bytes sent so far, of the blob's size.</param>
public sealed record CopyProgress(Descriptor Blob, CopyStep Step, long Bytes);

/// <summary>What happened to a blob of a copy.</summary>
public enum CopyStep
{
    /// <summary>It is to be moved.</summary>
    Planned,

    /// <summary>Bytes of it were sent.</summary>
    Transferring,

    /// <summary>It was there.</summary>
    Present,

    /// <summary>The target's host mounted it.</summary>
    Mounted,

    /// <summary>All of it was sent.</summary>
    Copied,
}
