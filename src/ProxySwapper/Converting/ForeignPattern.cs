using System.Text;
using System.Text.RegularExpressions;

namespace ProxySwapper.Converting;

/// <summary>
/// Converts simple regular expressions to patterns, which are easier to read: <c>docker\.io/.+</c> to <c>docker.io/**</c>.
/// </summary>
internal static partial class ForeignPattern
{
    /// <summary>The pattern that matches the same images as an expression for whole references; null if there is none.</summary>
    public static string? OfImages(string expression)
    {
        var text = Anchor(expression);
        if (text is ".*" or ".+")
            return "**";
        // A repository without a tag matches every tag.
        text = AnyTag().Replace(text, "");
        var isPrefix = AnyPath().Match(text) is { Success: true };
        return Literal(isPrefix ? AnyPath().Replace(text, "") : text) is { Length: > 0 } literal
            ? isPrefix
                ? $"{literal}/**"
                : literal
            : null;
    }

    /// <summary>The names, with *, that match the same namespaces as an expression for whole names; null if there are none.</summary>
    public static IReadOnlyList<string>? OfNamespaces(string expression)
    {
        var names = Anchor(expression)
            .Split('|')
            .Select(name => name.Replace(".*", "*", StringComparison.Ordinal).Replace(".+", "*", StringComparison.Ordinal))
            .ToList();
        return names.TrueForAll(name => Namespace().IsMatch(name)) ? names : null;
    }

    /// <summary>An expression without its anchors.</summary>
    public static string Anchor(string expression)
    {
        var text = expression.StartsWith('^') ? expression[1..] : expression;
        return text.EndsWith('$') && !text.EndsWith("\\$", StringComparison.Ordinal) ? text[..^1] : text;
    }

    /// <summary>The only text that an expression matches, or null. A dot between letters or digits counts as a literal dot.</summary>
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
