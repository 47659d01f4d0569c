using System.Text;
using System.Text.RegularExpressions;

namespace ProxySwapper.Converting;

/// <summary>
/// Says simple regular expressions as the patterns that people read more easily: <c>docker\.io/.+</c> as <c>docker.io/**</c>.
/// </summary>
internal static partial class ForeignPattern
{
    /// <summary>A pattern that takes the images that an expression of whole references takes; null when no pattern does.</summary>
    public static string? OfImages(string expression)
    {
        var text = Whole(expression);
        if (text is ".*" or ".+")
            return "**";
        // Any tag, or none at all, is what a repository alone says.
        text = AnyTag().Replace(text, "");
        var isPrefix = AnyPath().Match(text) is { Success: true };
        return Literal(isPrefix ? AnyPath().Replace(text, "") : text) is { Length: > 0 } literal
            ? isPrefix
                ? $"{literal}/**"
                : literal
            : null;
    }

    /// <summary>Names with * of the namespaces that an expression of whole names takes; null when no names do.</summary>
    public static IReadOnlyList<string>? OfNamespaces(string expression)
    {
        var names = Whole(expression)
            .Split('|')
            .Select(name => name.Replace(".*", "*", StringComparison.Ordinal).Replace(".+", "*", StringComparison.Ordinal))
            .ToList();
        return names.TrueForAll(name => Namespace().IsMatch(name)) ? names : null;
    }

    /// <summary>An expression without what says that it takes whole texts.</summary>
    public static string Whole(string expression)
    {
        var text = expression.StartsWith('^') ? expression[1..] : expression;
        return text.EndsWith('$') && !text.EndsWith("\\$", StringComparison.Ordinal) ? text[..^1] : text;
    }

    /// <summary>The text that an expression without any choice takes. A dot that stands between words is meant as one.</summary>
    private static string? Literal(string expression)
    {
        var text = new StringBuilder();
        for (var index = 0; index < expression.Length; index++)
        {
            var character = expression[index];
            if (character == '\\' && index + 1 < expression.Length && ".-/_:".Contains(expression[index + 1], StringComparison.Ordinal))
                text.Append(expression[++index]);
            else if (
                char.IsAsciiLetterOrDigit(character)
                || "-/_:".Contains(character, StringComparison.Ordinal)
                || IsDot(expression, index)
            )
                text.Append(character);
            else
                return null;
        }
        return text.ToString();
    }

    private static bool IsDot(string expression, int index) =>
        expression[index] == '.'
        && index > 0
        && index + 1 < expression.Length
        && char.IsAsciiLetterOrDigit(expression[index - 1])
        && char.IsAsciiLetterOrDigit(expression[index + 1]);

    [GeneratedRegex(@":(?:\.[*+])$")]
    private static partial Regex AnyTag();

    [GeneratedRegex(@"/\.[*+]$")]
    private static partial Regex AnyPath();

    [GeneratedRegex(@"^[a-z0-9*-]+$")]
    private static partial Regex Namespace();
}
