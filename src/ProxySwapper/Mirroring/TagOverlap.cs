using System.Text.RegularExpressions;

namespace ProxySwapper.Mirroring;

/// <summary>
/// Whether two selections can have a tag in common, whatever tags there are. In doubt they can: only what is certain separates them, that
/// is versions (<c>compatibility</c>, <c>pinned-major</c>, <c>semverRange</c>), tags that are listed, different starts of the patterns in
/// <c>tags.allow</c>, and patterns that the other selection denies.
/// </summary>
internal static class TagOverlap
{
    public static bool IsPossible(TagFilter one, TagFilter two)
    {
        if (AreOtherVersions(one, two) || IsDenied(one, two) || IsDenied(two, one))
            return false;
        var (ones, twos) = (StartsOf(one), StartsOf(two));
        if (ones.Count > 0 && ones.TrueForAll(start => start.IsOneTag))
            return ones.Exists(start => TagSelector.MaySelect(two, start.Text));
        if (twos.Count > 0 && twos.TrueForAll(start => start.IsOneTag))
            return twos.Exists(start => TagSelector.MaySelect(one, start.Text));
        return ones.Count == 0 || twos.Count == 0 || ones.Exists(start => twos.Exists(start.MayMatchSame));
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

    private static bool IsDenied(TagFilter one, TagFilter two)
    {
        var denied = two.Deny.Select(pattern => pattern.ToString()).ToHashSet(StringComparer.Ordinal);
        return one.Allow.Count > 0 && one.Allow.All(pattern => denied.Contains(pattern.ToString()));
    }

    private static List<Start> StartsOf(TagFilter filter) => [.. filter.Allow.SelectMany(Start.Of)];

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
            foreach (var (left, right) in Text.Zip(other.Text))
                if (left != right && left != Any && right != Any)
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
