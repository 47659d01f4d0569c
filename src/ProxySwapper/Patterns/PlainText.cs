using System.Globalization;

namespace ProxySwapper.Patterns;

/// <summary>External text for a terminal, which would obey control characters.</summary>
internal static class PlainText
{
    /// <summary>The text with a space in place of each control or format character and line separator.</summary>
    public static string Of(string text) =>
        text.Any(IsUnsafe) ? string.Concat(text.Select(character => IsUnsafe(character) ? ' ' : character)) : text;

    private static bool IsUnsafe(char character) =>
        char.GetUnicodeCategory(character)
            is UnicodeCategory.Control
                or UnicodeCategory.Format
                or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator;
}
