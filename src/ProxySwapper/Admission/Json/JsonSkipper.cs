using System.Runtime.CompilerServices;
using System.Text.Json;

namespace ProxySwapper.Admission.Json;

/// <summary>
/// The grammar of JSON (<see href="https://www.rfc-editor.org/rfc/rfc8259">RFC 8259</see>): each method takes a text and the start of a
/// token and returns the token's end. Throws <see cref="JsonException"/> if the token is not valid.
/// </summary>
internal static class JsonSkipper
{
    /// <summary>The number of nesting levels that fit into one integer.</summary>
    private const int MaximumOpen = 64;

    /// <summary>The next byte that is not white space, which must exist.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int AfterSpace(ReadOnlySpan<byte> text, int at) => at < text.Length && text[at] > ' ' ? at : AfterSpaces(text, at);

    /// <summary>The end of a value, found in one loop at any depth: most of a Pod is skipped here.</summary>
    public static int AfterValue(ReadOnlySpan<byte> text, int at, int maximumDepth, ref StringEndIndex stops)
    {
        at = AfterSpace(text, at);
        if (text[at] is not ((byte)'{' or (byte)'['))
            return AfterScalar(text, at, ref stops);
        // The open containers, innermost in the lowest bit: 1 for an object, 0 for an array.
        var (open, level) = (0UL, 0);
        while (true)
        {
            if (text[at] is (byte)'{' or (byte)'[')
            {
                if (level == maximumDepth)
                    throw Fault("nested too deeply", at);
                if (level == MaximumOpen)
                    at = AfterSpace(text, AfterValue(text, at, maximumDepth - level, ref stops));
                else
                {
                    level++;
                    open = open << 1 | (text[at] == '{' ? 1UL : 0);
                    at = AfterSpace(text, at + 1);
                    if (text[at] != EndOf(open))
                    {
                        if ((open & 1) != 0)
                            at = AfterSpace(text, AfterName(text, at, ref stops, out _, out _));
                        continue;
                    }
                }
            }
            else
                // Most values are strings.
                at = AfterSpace(text, text[at] == '"' ? AfterString(text, at, ref stops, out _) : AfterScalar(text, at, ref stops));
            while (text[at] == EndOf(open))
            {
                at++;
                open >>= 1;
                if (--level == 0)
                    return at;
                at = AfterSpace(text, at);
            }
            if (text[at] != ',')
                throw Fault("expected ','", at);
            at = AfterSpace(text, at + 1);
            if ((open & 1) != 0)
                at = AfterSpace(text, AfterName(text, at, ref stops, out _, out _));
        }
    }

    /// <summary>The position after a member's name and the colon.</summary>
    /// <param name="text">The text.</param>
    /// <param name="at">Where the name starts.</param>
    /// <param name="stops">Where strings may end.</param>
    /// <param name="end">Where the name ends, before its quote.</param>
    /// <param name="isEscaped">Whether a character of the name is escaped.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int AfterName(ReadOnlySpan<byte> text, int at, ref StringEndIndex stops, out int end, out bool isEscaped)
    {
        if (text[at] != '"')
            throw Fault("expected a property name in double quotes", at);
        at = AfterString(text, at, ref stops, out isEscaped);
        end = at - 1;
        at = AfterSpace(text, at);
        return text[at] == ':' ? at + 1 : throw Fault("expected ':'", at);
    }

    public static JsonException Fault(string what, int at) => new($"{what}, at byte {at}");

    private static byte EndOf(ulong open) => (open & 1) != 0 ? (byte)'}' : (byte)']';

    private static int AfterSpaces(ReadOnlySpan<byte> text, int at)
    {
        var length = text[at..].IndexOfAnyExcept(" \n\r\t"u8);
        return length < 0 ? throw Fault("unexpected end", text.Length) : at + length;
    }

    private static int AfterScalar(ReadOnlySpan<byte> text, int at, ref StringEndIndex stops) =>
        text[at] switch
        {
            (byte)'"' => AfterString(text, at, ref stops, out _),
            (byte)'t' => AfterLiteral(text, at, "true"u8),
            (byte)'f' => AfterLiteral(text, at, "false"u8),
            (byte)'n' => AfterLiteral(text, at, "null"u8),
            _ => AfterNumber(text, at),
        };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int AfterString(ReadOnlySpan<byte> text, int at, ref StringEndIndex stops, out bool isEscaped)
    {
        isEscaped = false;
        while (text[at = stops.Next(text, at + 1)] != '"')
        {
            at = AfterEscape(text, at) - 1;
            isEscaped = true;
        }
        return at + 1;
    }

    private static int AfterEscape(ReadOnlySpan<byte> text, int at)
    {
        if (text[at] != '\\')
            throw Fault("control character in a string", at);
        switch (at + 1 < text.Length ? text[at + 1] : 0)
        {
            case (byte)'"' or (byte)'\\' or (byte)'/' or (byte)'b' or (byte)'f' or (byte)'n' or (byte)'r' or (byte)'t':
                return at + 2;
            case (byte)'u'
                when at + 5 < text.Length && IsHex(text[at + 2]) && IsHex(text[at + 3]) && IsHex(text[at + 4]) && IsHex(text[at + 5]):
                return at + 6;
            default:
                throw Fault("unknown escape in a string", at);
        }
    }

    private static bool IsHex(byte digit) => char.IsAsciiHexDigit((char)digit);

    private static int AfterLiteral(ReadOnlySpan<byte> text, int at, ReadOnlySpan<byte> literal) =>
        text[at..].StartsWith(literal) ? at + literal.Length : throw Fault("expected a value", at);

    private static int AfterNumber(ReadOnlySpan<byte> text, int at)
    {
        if (text[at] == '-')
            at++;
        var start = at;
        at = AfterDigits(text, at);
        if (text[start] == '0' && at > start + 1)
            throw Fault("a number starts with zero", start);
        if (Is(text, at, '.'))
            at = AfterDigits(text, at + 1);
        if (!Is(text, at, 'e') && !Is(text, at, 'E'))
            return at;
        return AfterDigits(text, Is(text, at + 1, '+') || Is(text, at + 1, '-') ? at + 2 : at + 1);
    }

    private static int AfterDigits(ReadOnlySpan<byte> text, int at)
    {
        var digits = at;
        while (digits < text.Length && char.IsAsciiDigit((char)text[digits]))
            digits++;
        return digits > at ? digits : throw Fault("expected a value", at);
    }

    private static bool Is(ReadOnlySpan<byte> text, int at, char expected) => at < text.Length && text[at] == expected;
}
