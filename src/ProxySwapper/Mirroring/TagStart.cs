namespace ProxySwapper.Mirroring;

/// <summary>How all tags begin that a pattern matches.</summary>
/// <param name="Text">The characters; <see cref="Any"/> stands for one that varies.</param>
/// <param name="IsWhole">Whether nothing follows them.</param>
internal sealed record TagStart(string Text, bool IsWhole)
{
    private const char Any = '\0';

    /// <summary>Begin a character class, a group or a quantifier, or are anchors.</summary>
    private const string Special = "([{*+?)]}|^$";

    public bool IsOneTag => IsWhole && !Text.Contains(Any, StringComparison.Ordinal);

    /// <summary>The starts of a pattern: one for each of its alternatives, if they can be distinguished.</summary>
    public static IEnumerable<TagStart> Of(string pattern)
    {
        if (!pattern.Contains('|', StringComparison.Ordinal))
            return [Read(pattern)];
        var areParts = pattern.AsSpan().ContainsAny('(', '[') || pattern.Contains(@"\|", StringComparison.Ordinal);
        return areParts ? [new TagStart("", false)] : pattern.Split('|').Select(Read);
    }

    public bool MayMatchSame(TagStart other)
    {
        for (var index = 0; index < Math.Min(Text.Length, other.Text.Length); index++)
            if (Text[index] != other.Text[index] && Text[index] != Any && other.Text[index] != Any)
                return false;
        return !(IsWhole && Text.Length < other.Text.Length) && !(other.IsWhole && other.Text.Length < Text.Length);
    }

    private static TagStart Read(string pattern)
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
                return new TagStart(string.Concat(start), false);
            start.Add(character);
        }
        return new TagStart(string.Concat(start), true);
    }
}
