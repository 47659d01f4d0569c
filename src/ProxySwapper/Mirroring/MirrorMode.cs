namespace ProxySwapper.Mirroring;

/// <summary>Which tags of a repository are mirrored.</summary>
internal enum MirrorMode
{
    /// <summary>The highest version.</summary>
    Highest,

    /// <summary>All versions above the destination's highest.</summary>
    Higher,

    /// <summary>All versions.</summary>
    Semver,

    /// <summary>Every tag.</summary>
    All,
}
