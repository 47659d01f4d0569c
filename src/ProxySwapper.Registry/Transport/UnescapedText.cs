using System.Globalization;
using System.Net;
using System.Text;

namespace ProxySwapper.Registry.Transport;

/// <summary>
/// A text whose characters may be escaped as in JSON, HTML or URLs, and what it is without that, each character with its place in the
/// original: servers quote a request in an error, and the error in another one.
/// </summary>
internal sealed class UnescapedText
{
    /// <summary>How often something may be escaped: JSON in JSON in JSON in HTML.</summary>
    private const int MaxLevels = 4;

    /// <summary>The longest entity: <c>&amp;#x10FFFF;</c>.</summary>
    private const int MaxEntityLength = 10;

    /// <summary>Where each character begins in the original, and where the last one ends; null if it is the original.</summary>
    private readonly int[]? _starts;

    private UnescapedText(string text, int[]? starts) => (Text, _starts) = (text, starts);

    public string Text { get; }

    /// <summary>The text itself, then with one level of escapes less each time, as long as there are any.</summary>
    public static IReadOnlyList<UnescapedText> LevelsOf(string text)
    {
        var levels = new List<UnescapedText> { new(text, null) };
        while (levels.Count <= MaxLevels && levels[^1].Unescape() is { } next)
            levels.Add(next);
        return levels;
    }

    /// <summary>Where a character begins in the original.</summary>
    public int StartOf(int at) => _starts is null ? at : _starts[at];

    private UnescapedText? Unescape()
    {
        if (!Text.AsSpan().ContainsAny('\\', '&', '%'))
            return null;
        var output = new StringBuilder(Text.Length);
        var starts = new List<int>(Text.Length + 1);
        for (var at = 0; at < Text.Length; )
        {
            var (length, character, low) = Read(Text.AsSpan(at));
            Add(character);
            if (low is { } second)
                Add(second);
            at += length;

            void Add(char one)
            {
                output.Append(one);
                starts.Add(StartOf(at));
            }
        }
        starts.Add(StartOf(Text.Length));
        return output.Length == Text.Length ? null : new UnescapedText(output.ToString(), [.. starts]);
    }

    /// <summary>How long the first character is, and what it is: a pair, if an entity is beyond the BMP.</summary>
    private static (int Length, char Character, char? Low) Read(ReadOnlySpan<char> text) =>
        text switch
        {
            ['\\', 'u' or 'U', _, _, _, _, ..] when Hex(text[2..6]) is { } code => (6, (char)code, null),
            ['\\', '"' or '\\' or '/' or '\'', ..] => (2, text[1], null),
            // Those of other bytes stay, as they do in the forms that are searched for.
            ['%', _, _, ..] when Hex(text[1..3]) is { } code and < 0x80 => (3, (char)code, null),
            ['&', ..] when text[..Math.Min(text.Length, MaxEntityLength)].IndexOf(';') is > 1 and var end => Entity(text[..(end + 1)]),
            _ => (1, text[0], null),
        };

    private static (int Length, char Character, char? Low) Entity(ReadOnlySpan<char> entity) =>
        WebUtility.HtmlDecode(entity.ToString()) switch
        {
            [var character] => (entity.Length, character, null),
            [var high, var low] when char.IsSurrogatePair(high, low) => (entity.Length, high, low),
            _ => (1, '&', null),
        };

    private static int? Hex(ReadOnlySpan<char> digits) =>
        int.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code) ? code : null;
}
