using System.Text;

namespace ProxySwapper.AdmissionPolicies;

/// <summary>
/// Literals of the Common Expression Language
/// (<see href="https://github.com/google/cel-spec/blob/master/doc/langdef.md#string-and-bytes-values"/>).
/// </summary>
internal static class CelText
{
    /// <summary>A string literal of any text.</summary>
    public static string Quote(string text)
    {
        var literal = new StringBuilder("\"");
        foreach (var rune in text.EnumerateRunes())
            literal.Append(
                rune.Value switch
                {
                    '"' => "\\\"",
                    '\\' => @"\\",
                    < ' ' or 0x7F => $"\\u{rune.Value:x4}",
                    _ => rune.ToString(),
                }
            );
        return literal.Append('"').ToString();
    }

    /// <summary>A string literal of a regular expression, raw if possible, so that backslashes stay as written.</summary>
    public static string Pattern(string pattern) =>
        pattern.Contains('\'', StringComparison.Ordinal) || pattern.Any(char.IsControl) ? Quote(pattern) : $"r'{pattern}'";

    /// <summary>A comment to the end of the line, with line breaks in the text replaced.</summary>
    public static string Comment(string text) =>
        $"// {string.Concat(text.Select(character => char.IsControl(character) || character is '\u2028' or '\u2029' ? ' ' : character))}";
}
