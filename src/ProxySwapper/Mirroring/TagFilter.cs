namespace ProxySwapper.Mirroring;

/// <summary>The tag settings of one image.</summary>
internal sealed record TagFilter
{
    public MirrorMode Mode { get; init; } = MirrorMode.Highest;
    public bool AllowPrerelease { get; init; }

    /// <summary>The suffix that tags must have, such as <c>alpine</c> for <c>1.25-alpine</c>; null for none.</summary>
    public string? Compatibility { get; init; }
    public ulong? PinnedMajor { get; init; }
    public SemanticVersionRange? SemVerRange { get; init; }

    /// <summary>Where <see cref="MirrorMode.Higher"/> starts if the destination has no version; null does nothing in that case.</summary>
    public HigherFrom? HigherFrom { get; init; }

    /// <summary>Limits the selection to the N highest; null for all.</summary>
    public int? Newest { get; init; }

    /// <summary>Valid regular expressions of whole tags; empty allows all.</summary>
    public IReadOnlyList<string> Allow { get; init; } = [];

    /// <summary>Valid regular expressions of whole tags that are never mirrored.</summary>
    public IReadOnlyList<string> Deny { get; init; } = [];
}

/// <summary>Where to start for an empty destination: a version, inclusive, or null for the highest only.</summary>
internal sealed record HigherFrom(SemanticVersion? Version);

/// <summary>Which tags of a repository are mirrored.</summary>
internal enum MirrorMode
{
    /// <summary>The highest version.</summary>
    Highest,

    /// <summary>All versions above the destination's highest, and tags of that version that it lacks.</summary>
    Higher,

    /// <summary>All versions.</summary>
    Semver,

    /// <summary>Every tag.</summary>
    All,
}
