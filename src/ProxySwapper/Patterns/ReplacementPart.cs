using System.Text;
using System.Text.RegularExpressions;

namespace ProxySwapper.Patterns;

/// <summary>A part of a replacement such as <c>localhost:5000/$1</c>.</summary>
/// <param name="Text">A text, when <paramref name="Group"/> is negative.</param>
/// <param name="Group">A group's number; 0 is the whole reference.</param>
internal readonly record struct ReplacementPart(string Text, int Group)
{
    /// <summary>Splits a .NET replacement; null if a part is neither text nor a group.</summary>
    public static IReadOnlyList<ReplacementPart>? Read(string replacement, Regex regex)
    {
        var parts = new List<ReplacementPart>();
        var text = new StringBuilder();
        for (var at = 0; at < replacement.Length; at++)
        {
            if (replacement[at] != '$')
            {
                text.Append(replacement[at]);
                continue;
            }
            if (at + 1 < replacement.Length && replacement[at + 1] == '$')
            {
                text.Append('$');
                at++;
                continue;
            }
            if (NameAt(replacement, at + 1, out var end) is not { } name || GroupOf(regex, name) is not (>= 0 and var group))
                return null;
            if (text.Length > 0)
                parts.Add(new(text.ToString(), -1));
            text.Clear();
            parts.Add(new("", group));
            at = end - 1;
        }
        if (text.Length > 0)
            parts.Add(new(text.ToString(), -1));
        return parts;
    }

    /// <summary>The group with the name or number after the <c>$</c>.</summary>
    private static string? NameAt(string replacement, int at, out int end)
    {
        end = at;
        if (at < replacement.Length && replacement[at] == '{')
        {
            end = replacement.IndexOf('}', at) + 1;
            return end == 0 ? null : replacement[(at + 1)..(end - 1)];
        }
        while (end < replacement.Length && char.IsAsciiDigit(replacement[end]))
            end++;
        return end == at ? null : replacement[at..end];
    }

    private static int GroupOf(Regex regex, string name) => regex.GroupNumberFromName(name);
}
