namespace ProxySwapper.Mirroring;

/// <summary>
/// Whether two selections can have a tag in common, whatever tags there are. In doubt they can: only what is certain separates them, that
/// is versions (<c>compatibility</c>, <c>pinned-major</c>, <c>semverRange</c>), tags that are listed, different starts of the patterns in
/// <c>tags.allow</c>, and patterns that the other selection denies.
/// </summary>
internal sealed class TagOverlap
{
    private readonly TagFilter _filter;
    private readonly List<TagStart> _starts;
    private readonly HashSet<string> _allowed;
    private readonly HashSet<string> _denied;
    private TagPatterns? _patterns;

    /// <summary>Reads the patterns of a selection once, for comparisons with many others.</summary>
    public TagOverlap(TagFilter filter)
    {
        _filter = filter;
        _starts = [.. filter.Allow.SelectMany(TagStart.Of)];
        _allowed = filter.Allow.ToHashSet(StringComparer.Ordinal);
        _denied = filter.Deny.ToHashSet(StringComparer.Ordinal);
        if (_starts.Count > 0 && _starts.TrueForAll(start => start.IsOneTag))
            Listed = _starts.Select(start => start.Text).ToHashSet(StringComparer.Ordinal);
    }

    /// <summary>The only tags that can be selected, or null if they are not listed.</summary>
    public IReadOnlySet<string>? Listed { get; }

    /// <summary>Only compiled where listed tags are compared.</summary>
    private TagPatterns Patterns => _patterns ??= new TagPatterns(_filter);

    /// <summary>Whether both selections can have a tag in common.</summary>
    public bool IsPossible(TagOverlap other)
    {
        if (AreOtherVersions(_filter, other._filter) || IsDenied(this, other) || IsDenied(other, this))
            return false;
        if (Listed is not null)
            return MaySelectListed(this, other);
        if (other.Listed is not null)
            return MaySelectListed(other, this);
        if (_starts.Count == 0 || other._starts.Count == 0)
            return true;
        foreach (var one in _starts)
        foreach (var two in other._starts)
            if (one.MayMatchSame(two))
                return true;
        return false;
    }

    private static bool MaySelectListed(TagOverlap listing, TagOverlap other)
    {
        foreach (var start in listing._starts)
            if (other.Listed?.Contains(start.Text) != false && TagSelector.MaySelect(other._filter, other.Patterns, start.Text))
                return true;
        return false;
    }

    private static bool AreOtherVersions(TagFilter one, TagFilter two) =>
        one.Mode != MirrorMode.All
        && two.Mode != MirrorMode.All
        && (
            PrereleaseOf(one) is { } left && PrereleaseOf(two) is { } right && left != right
            || one.PinnedMajor is { } major && two.PinnedMajor is { } otherMajor && major != otherMajor
            || one.SemVerRange is { } range && two.SemVerRange is { } otherRange && !range.MayOverlap(otherRange)
        );

    /// <summary>The pre-release that all versions have, empty for none; null if it varies.</summary>
    private static string? PrereleaseOf(TagFilter filter) => filter.Compatibility ?? (filter.AllowPrerelease ? null : "");

    private static bool IsDenied(TagOverlap one, TagOverlap two) => one._allowed.Count > 0 && one._allowed.IsSubsetOf(two._denied);
}
