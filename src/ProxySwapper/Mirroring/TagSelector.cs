using ProxySwapper.Registry;

namespace ProxySwapper.Mirroring;

/// <summary>Selects the tags to mirror by mode: replicant's selection, preceded by our filters.</summary>
internal static class TagSelector
{
    /// <summary>A major above this is a date (<c>20240101</c>), not a version.</summary>
    private const ulong HighestMajor = 1024;

    /// <summary>Selects tags in the order in which they should be copied.</summary>
    /// <param name="filter">The tag settings.</param>
    /// <param name="sourceTags">The source's tags as listed.</param>
    /// <param name="destinationTags">The destination's tags as listed; only used for <see cref="MirrorMode.Higher"/>.</param>
    /// <param name="rejection">Why the destination's tags could not be listed, or null if they were.</param>
    public static TagSelection Select(
        TagFilter filter,
        IReadOnlyList<string> sourceTags,
        IReadOnlyList<string> destinationTags,
        string? rejection = null
    )
    {
        if (sourceTags.Count == 0)
            return new TagSelection([], "the source has no tags") { IsNothingFound = true };
        var patterns = new TagPatterns(filter);
        var allowed = sourceTags.Where(patterns.IsAllowed).ToList();
        // A registry can list tags that the grammar does not allow and that cannot be requested.
        var invalid = allowed.Where(tag => !ImageReference.IsTag(tag)).Distinct().ToList();
        var present = filter.Mode == MirrorMode.Higher ? destinationTags.Where(patterns.IsAllowed) : [];
        return Choose(filter, [.. allowed.Where(ImageReference.IsTag)], present, rejection) with { Invalid = invalid };
    }

    private static TagSelection Choose(TagFilter filter, IReadOnlyList<string> allowed, IEnumerable<string> present, string? rejection)
    {
        if (filter.Mode == MirrorMode.All)
            return allowed.Count > 0
                ? new TagSelection([.. allowed.Distinct()], null)
                : new TagSelection([], "no tag of the source matches the settings") { IsNothingFound = true };
        var versions = Versions(filter, allowed);
        if (versions.Count == 0)
            return new TagSelection([], "no version of the source matches the settings") { IsNothingFound = true };
        switch (filter.Mode)
        {
            case MirrorMode.Highest:
                return new TagSelection([versions[^1].Tag], null);
            case MirrorMode.Higher:
                return SelectHigher(filter, versions, Versions(filter, present), rejection);
            default:
                return Newest(filter, versions);
        }
    }

    /// <summary>Whether a tag can be selected, depending on the other tags that there are.</summary>
    public static bool MaySelect(TagFilter filter, TagPatterns patterns, string tag) =>
        ImageReference.IsTag(tag)
        && patterns.IsAllowed(tag)
        && (filter.Mode == MirrorMode.All || SemanticVersion.TryParse(tag, out var version) && IsMatch(filter, version));

    private static TagSelection SelectHigher(
        TagFilter filter,
        List<SemanticVersion> versions,
        List<SemanticVersion> present,
        string? rejection
    )
    {
        if (present is [.., var highest])
        {
            // A run may have ended between two tags of one version, 1.2 and 1.2.0.
            var equal = present.Where(version => version.CompareTo(highest) == 0).Select(version => version.Tag).ToHashSet();
            return Newest(filter, versions.Where(version => version.CompareTo(highest) >= 0 && !equal.Contains(version.Tag))) with
            {
                Highest = highest.Tag,
                Passed = filter.Newest is null ? Between(versions, present) : [],
            };
        }
        return filter.HigherFrom switch
        {
            null when rejection is not null => new TagSelection(
                [],
                $"the destination's versions are unknown: {rejection}; if its repository does not exist yet, set higher-from to start"
            )
            {
                IsNothingFound = true,
            },
            null => new TagSelection([], "the destination has no version yet; set higher-from to start"),
            { Version: null } => new TagSelection([versions[^1].Tag], null),
            { Version: { } start } => Newest(filter, versions.Where(version => version.CompareTo(start) >= 0)),
        };
    }

    /// <summary>Versions between the lowest and the highest one that is present, of which no tag is.</summary>
    private static IReadOnlyList<string> Between(List<SemanticVersion> versions, List<SemanticVersion> present) =>
        [
            .. versions
                .Where(version => version.CompareTo(present[0]) > 0 && version.CompareTo(present[^1]) < 0)
                .Where(version => present.BinarySearch(version) < 0)
                .Select(version => version.Tag)
                .Distinct(),
        ];

    private static TagSelection Newest(TagFilter filter, IEnumerable<SemanticVersion> versions)
    {
        var tags = versions.Select(version => version.Tag).Distinct().ToList();
        return new TagSelection(filter.Newest is { } count ? tags[^Math.Min(count, tags.Count)..] : tags, null);
    }

    /// <summary>The versions among tags, ascending; equal ones in listed order.</summary>
    private static List<SemanticVersion> Versions(TagFilter filter, IEnumerable<string> tags)
    {
        var versions = new List<SemanticVersion>();
        foreach (var tag in tags)
            if (SemanticVersion.TryParse(tag, out var version) && IsMatch(filter, version))
                versions.Add(version);
        return [.. versions.Order()];
    }

    private static bool IsMatch(TagFilter filter, SemanticVersion version) =>
        version.Major <= HighestMajor
        && (filter.Compatibility is { } suffix ? version.Prerelease == suffix : filter.AllowPrerelease || version.Prerelease.Length == 0)
        && (filter.PinnedMajor is not { } major || version.Major == major)
        && (filter.SemVerRange is not { } range || range.IsMatch(version));
}

/// <summary>The result of a selection.</summary>
/// <param name="Tags">Tags to mirror, lowest version first.</param>
/// <param name="Explanation">Why there are none, if that may be surprising, or null.</param>
internal sealed record TagSelection(IReadOnlyList<string> Tags, string? Explanation)
{
    private const int MaxNamed = 5;

    /// <summary>True if there are none since nothing was found to select from.</summary>
    public bool IsNothingFound { get; init; }

    /// <summary>Listed tags that are not valid tags.</summary>
    public IReadOnlyList<string> Invalid { get; init; } = [];

    /// <summary>The destination's highest version, in mode <see cref="MirrorMode.Higher"/>.</summary>
    public string? Highest { get; init; }

    /// <summary>
    /// Versions below <see cref="Highest"/> that the destination lacks, though it has lower ones: they could not be copied at the time, or
    /// were added to the source later.
    /// </summary>
    public IReadOnlyList<string> Passed { get; init; } = [];

    /// <summary>What a report must not leave out, one sentence each, and whether something was not found or not understood.</summary>
    public IEnumerable<(string Text, bool IsUnread)> Omissions
    {
        get
        {
            if (Tags.Count == 0 && Explanation is not null)
                yield return (Explanation, IsNothingFound);
            if (Invalid.Count > 0)
                yield return (
                    $"the source lists {Invalid.Count} that cannot be requested, since they are not valid tags: "
                        + $"{Named(Invalid.Select(tag => $"'{tag}'"))}; tags.deny leaves them out",
                    true
                );
            if (Passed.Count > 0)
                yield return (
                    $"the destination lacks {Named(Passed)} below its highest version {Highest}: mode higher does not go back, "
                        + "mode semver does",
                    false
                );
        }
    }

    private static string Named(IEnumerable<string> tags)
    {
        List<string> all = [.. tags];
        return string.Join(", ", all.Take(MaxNamed)) + (all.Count > MaxNamed ? $" and {all.Count - MaxNamed} more" : "");
    }
}
