using System.Text.RegularExpressions;

namespace ProxySwapper.Patterns;

/// <summary>Another start of images' names with everything else kept: two different names stay different.</summary>
/// <param name="Source">How the names start; empty if all of a name is kept.</param>
/// <param name="Target">What replaces that.</param>
internal sealed partial record NameRenaming(string Source, string Target)
{
    /// <summary>The renaming that a valid pattern and target are; null if the pattern matches several registries.</summary>
    public static NameRenaming? Of(RepositoryPattern match, string target) =>
        match.IsOneRegistry && !TargetPrefix.KeepsRegistry(target)
            ? new NameRenaming($"{match.Registry}/", TargetPrefix.PrefixOf(target))
            : null;

    /// <summary>
    /// The renaming that a valid regular expression and its replacement are, such as <c>quay\.io/(.*)</c> and
    /// <c>registry.example.com/quay/$1</c>; null if they may be more than that.
    /// </summary>
    public static NameRenaming? Of(string pattern, string replacement)
    {
        if (Start().Match(pattern) is not { Success: true } start || !IsOneGroup(pattern.AsSpan(start.Length)))
            return null;
        var source = start
            .Groups["literal"]
            .Value.Replace("[.]", ".", StringComparison.Ordinal)
            .Replace("\\", "", StringComparison.Ordinal);
        return LastGroup().IsMatch(replacement) ? new NameRenaming(source, ReplacementPattern.PrefixOf(replacement)) : null;
    }

    /// <summary>
    /// Whether the rest of a pattern, from its first parenthesis, is one group without anything after it. No for constructs that would
    /// need a real parser to be understood.
    /// </summary>
    private static bool IsOneGroup(ReadOnlySpan<char> rest)
    {
        var depth = 0;
        for (var index = 0; index < rest.Length; index++)
        {
            switch (rest[index])
            {
                // \c takes the next character with it, even a bracket.
                case '\\' when rest[(index + 1)..] is ['c', ..]:
                    return false;
                case '\\':
                    index++;
                    break;
                case '[':
                    var length = Class().EnumerateMatches(rest, index) is var classes && classes.MoveNext() ? classes.Current.Length : 0;
                    if (length == 0)
                        return false;
                    index += length - 1;
                    break;
                case '(' when rest[(index + 1)..] is ['?', not ':', ..]:
                    return false;
                case '(':
                    depth++;
                    break;
                case ')' when --depth == 0:
                    return rest[(index + 1)..] is "" or "$";
            }
        }
        return false;
    }

    [GeneratedRegex(@"^\^?(?<literal>(?:[A-Za-z0-9_:/-]|\\[./:_-]|\[\.\])*)(?=\((?!\?))")]
    private static partial Regex Start();

    /// <summary>A class of characters without other brackets, not even a closing one at its start, which is literal there.</summary>
    [GeneratedRegex(@"\G\[(?!\^?\])\^?(?:[^\[\]\\]|\\[^\[\]c])+\]")]
    private static partial Regex Class();

    /// <summary>A replacement whose only group is the first one, at the end.</summary>
    [GeneratedRegex(@"^[^$]+(?:\$1|\$\{1\})$")]
    private static partial Regex LastGroup();
}
