using System.Text.RegularExpressions;

namespace ProxySwapper.Mirroring;

/// <summary>What the file says of the tags of one image.</summary>
internal sealed record TagFilter
{
    public MirrorMode Mode { get; init; } = MirrorMode.Highest;
    public bool AllowPrerelease { get; init; }

    /// <summary>The suffix that tags must have, for instance <c>alpine</c> for <c>1.25-alpine</c>; null for none.</summary>
    public string? Compatibility { get; init; }
    public ulong? PinnedMajor { get; init; }
    public SemanticVersionRange? SemVerRange { get; init; }

    /// <summary>Where <see cref="MirrorMode.Higher"/> starts when the destination has no version; null does nothing then.</summary>
    public HigherFrom? HigherFrom { get; init; }

    /// <summary>Only the N highest of what the mode selects; null for all.</summary>
    public int? Newest { get; init; }

    /// <summary>Whole-tag patterns; empty allows all.</summary>
    public IReadOnlyList<Regex> Allow { get; init; } = [];

    /// <summary>Whole-tag patterns that are never mirrored.</summary>
    public IReadOnlyList<Regex> Deny { get; init; } = [];
}

/// <summary>The start of an empty destination: a version, itself included, or null for the highest alone.</summary>
internal sealed record HigherFrom(SemanticVersion? Version);
