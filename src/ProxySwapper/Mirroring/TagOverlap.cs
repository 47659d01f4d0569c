using System.Text.RegularExpressions;

namespace ProxySwapper.Mirroring;

/// <summary>
/// Whether two selections can have a tag in common, whatever tags there are. In doubt they can: only what is certain separates them, that
/// is versions (<c>compatibility</c>, <c>pinned-major</c>, <c>semverRange</c>), tags that are listed, different starts of the patterns in
/// <c>tags.allow</c>, and patterns that the other selection denies.
/// </summary>
internal sealed class TagOverlap
{
    private readonly TagFilter _filter;
    private readonly List<Start> _starts;
    private readonly HashSet<string> _allowed;
    private readonly HashSet<string> _denied;

    /// <summary>Reads the patterns of a selection once, for comparisons with many others.</summary>
    public TagOverlap(TagFilter filter)
    {
        _filter = filter;
        _starts = [.. filter.Allow.SelectMany(Start.Of)];
        _allowed = PatternsOf(filter.Allow);
        _denied = PatternsOf(filter.Deny);
        if (_starts.Count > 0 && _starts.TrueForAll(start => start.IsOneTag))
            Listed = _starts.Select(start => start.Text).ToHashSet(StringComparer.Ordinal);
    }

    /// <summary>The only tags that can be selected, or null if they are not listed.</summary>
    public IReadOnlySet<string>? Listed { get; }

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
            if (other.Listed?.Contains(start.Text) != false && TagSelector.MaySelect(other._filter, start.Text))
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

    private static HashSet<string> PatternsOf(IReadOnlyList<Regex> patterns) =>
        patterns.Select(pattern => pattern.ToString()).ToHashSet(StringComparer.Ordinal);

    /// <summary>How all tags begin that a pattern matches.</summary>
    /// <param name="Text">The characters; <see cref="Any"/> stands for one that varies.</param>
    /// <param name="IsWhole">Whether nothing follows them.</param>
    private sealed record Start(string Text, bool IsWhole)
    {
        private const char Any = '\0';

        /// <summary>Begin a character class, a group or a quantifier, or are anchors.</summary>
        private const string Special = "([{*+?)]}|^$";

        public bool IsOneTag => IsWhole && !Text.Contains(Any, StringComparison.Ordinal);

        /// <summary>The starts of a pattern: one for each of its alternatives, if they can be told apart.</summary>
        public static IEnumerable<Start> Of(Regex pattern)
        {
            // As anchored when the file was read.
            var text = pattern.ToString()["^(?:".Length..^")$".Length];
            if (!text.Contains('|', StringComparison.Ordinal))
                return [Read(text)];
            var areParts = text.AsSpan().ContainsAny('(', '[') || text.Contains(@"\|", StringComparison.Ordinal);
            return areParts ? [new Start("", false)] : text.Split('|').Select(Read);
        }

        public bool MayMatchSame(Start other)
        {
            for (var index = 0; index < Math.Min(Text.Length, other.Text.Length); index++)
                if (Text[index] != other.Text[index] && Text[index] != Any && other.Text[index] != Any)
                    return false;
            return !(IsWhole && Text.Length < other.Text.Length) && !(other.IsWhole && other.Text.Length < Text.Length);
        }

        private static Start Read(string pattern)
        {
            var start = new List<char>();
            var at = pattern.StartsWith('^') ? 1 : 0;
            var end = pattern.EndsWith('$') ? pattern.Length - 1 : pattern.Length;
            while (at < end)
            {
                var (character, length) = pattern[at] switch
                {
                    '\\' when at + 1 < pattern.Length && !char.IsLetterOrDigit(pattern[at + 1]) => (pattern[at + 1], 2),
                    '\\' => (Any, 0),
                    '.' => (Any, 1),
                    var special when Special.Contains(special, StringComparison.Ordinal) => (Any, 0),
                    var literal => (literal, 1),
                };
                at += length;
                if (length == 0 || at < pattern.Length && "*+?{".Contains(pattern[at], StringComparison.Ordinal))
                    return new Start(string.Concat(start), false);
                start.Add(character);
            }
            return new Start(string.Concat(start), true);
        }
    }
}
