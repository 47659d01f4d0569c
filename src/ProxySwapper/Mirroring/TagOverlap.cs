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

    /// <summary>
    /// Reads the patterns of a selection once, for comparisons with many others; without keeping compiled ones, of which a file may have
    /// thousands.
    /// </summary>
    public TagOverlap(TagFilter filter)
    {
        _filter = filter;
        _starts = [.. filter.Allow.SelectMany(TagStart.Of)];
        _allowed = filter.Allow.ToHashSet(StringComparer.Ordinal);
        _denied = filter.Deny.ToHashSet(StringComparer.Ordinal);
        if (_starts.Count == 0 || !_starts.TrueForAll(start => start.IsOneTag))
            return;
        var patterns = new TagPatterns(filter);
        Listed = _starts
            .Select(start => start.Text)
            .Where(tag => TagSelector.MaySelect(filter, patterns, tag))
            .ToHashSet(StringComparer.Ordinal);
    }

    /// <summary>The only tags that can be selected, or null if they are not listed.</summary>
    public IReadOnlySet<string>? Listed { get; }

    /// <summary>Whether both selections, which list their tags both or neither of them, can have a tag in common.</summary>
    public bool IsPossible(TagOverlap other)
    {
        if (AreSeparate(other))
            return false;
        if (Listed is not null)
            return Listed.Overlaps(other.Listed!);
        if (_starts.Count == 0)
            return true;
        // Without a delegate for each pair.
        foreach (var start in _starts)
            if (other.MayBeginLike(start))
                return true;
        return false;
    }

    /// <summary>Whether this selection can have a tag in common with one that lists its tags.</summary>
    /// <param name="listing">The one that does.</param>
    /// <param name="patterns">The patterns of this one, which take memory: compiled if nothing else separates the two.</param>
    public bool IsPossible(TagOverlap listing, Lazy<TagPatterns> patterns) =>
        !AreSeparate(listing)
        && listing._starts.Exists(start =>
            MayBeginLike(start) && listing.Listed!.Contains(start.Text) && TagSelector.MaySelect(_filter, patterns.Value, start.Text)
        );

    private bool MayBeginLike(TagStart other)
    {
        if (_starts.Count == 0)
            return true;
        foreach (var start in _starts)
            if (start.MayMatchSame(other))
                return true;
        return false;
    }

    private bool AreSeparate(TagOverlap other) =>
        AreOtherVersions(_filter, other._filter) || IsDenied(this, other) || IsDenied(other, this);

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
