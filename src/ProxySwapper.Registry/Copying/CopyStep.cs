namespace ProxySwapper.Registry.Copying;

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
