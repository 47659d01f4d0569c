namespace ProxySwapper.Patterns;

/// <summary>Patterns in which <c>*</c> matches any characters, including none.</summary>
internal static class Wildcard
{
    /// <summary>True when the pattern matches the whole text. Takes time linear in text times stars and allocates nothing.</summary>
    public static bool IsMatch(ReadOnlySpan<char> pattern, ReadOnlySpan<char> text)
    {
        var (star, resume) = (-1, 0);
        var (at, position) = (0, 0);
        while (position < text.Length)
        {
            if (at < pattern.Length && pattern[at] == '*')
                (star, resume, at) = (at, position, at + 1);
            else if (at < pattern.Length && pattern[at] == text[position])
                (at, position) = (at + 1, position + 1);
            else if (star >= 0)
                (at, position, resume) = (star + 1, resume + 1, resume + 1);
            else
                return false;
        }
        return !pattern[at..].ContainsAnyExcept('*');
    }
}
