using ProxySwapper.Registry.Oci;

namespace ProxySwapper.Registry.Copying;

/// <summary>A step in copying one blob.</summary>
/// <param name="Blob">The blob.</param>
/// <param name="Step">What happened.</param>
/// <param name="Bytes">Bytes sent so far, of the blob's size.</param>
public sealed record CopyProgress(Descriptor Blob, CopyStep Step, long Bytes);

/// <summary>What happened to a blob of a copy.</summary>
public enum CopyStep
{
    /// <summary>It has to be copied.</summary>
    Planned,

    /// <summary>Some bytes were sent.</summary>
    Transferring,

    /// <summary>It already existed.</summary>
    Present,

    /// <summary>The target's host mounted it.</summary>
    Mounted,

    /// <summary>It was sent completely.</summary>
    Copied,
}
