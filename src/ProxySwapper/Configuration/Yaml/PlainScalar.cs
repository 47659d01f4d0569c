using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace ProxySwapper.Configuration.Yaml;

/// <summary>
/// What a plain scalar is for Helm and kubectl, which pass YAML on as JSON: of the types of YAML 1.1
/// (<see href="https://yaml.org/type/"/>), with Go's prefixes of integers, but without sexagesimal numbers and dates. <c>yes</c> is true,
/// <c>0x10</c> is 16, <c>NaN</c> is a string.
/// </summary>
internal static partial class PlainScalar
{
    /// <summary>The value: a boolean, a number or a string; null for null, and for the numbers that JSON lacks.</summary>
    public static JsonValue? Read(string text) =>
        text switch
        {
            _ when IsNull(text) => null,
            // Helm and kubectl reject the document.
            ".nan" or ".NaN" or ".NAN" or ".inf" or ".Inf" or ".INF" => null,
            "+.inf" or "+.Inf" or "+.INF" or "-.inf" or "-.Inf" or "-.INF" => null,
            "y" or "Y" or "yes" or "Yes" or "YES" or "true" or "True" or "TRUE" or "on" or "On" or "ON" => JsonValue.Create(true),
            "n" or "N" or "no" or "No" or "NO" or "false" or "False" or "FALSE" or "off" or "Off" or "OFF" => JsonValue.Create(false),
            _ => Number(text) ?? JsonValue.Create(text),
        };

    public static bool IsNull(string text) => text is "" or "~" or "null" or "Null" or "NULL";

    public static bool IsTrue(string text) => KindOf(text) == JsonValueKind.True;

    public static bool IsFalse(string text) => KindOf(text) == JsonValueKind.False;

    public static bool IsString(string text) => KindOf(text) == JsonValueKind.String;

    /// <summary>Reads a number: decimal, with a fraction or exponent, or in base 2, 8 or 16; underscores may group its digits.</summary>
    public static bool TryNumber(string text, out double number)
    {
        var value = Read(text);
        var isNumber = value?.GetValueKind() == JsonValueKind.Number;
        number = isNumber ? double.Parse(value!.ToJsonString(), CultureInfo.InvariantCulture) : 0;
        return isNumber;
    }

    private static JsonValueKind? KindOf(string text) => Read(text)?.GetValueKind();

    private static JsonValue? Number(string text)
    {
        if (text[0] is not ('+' or '-' or '.' or (>= '0' and <= '9')))
            return null;
        var plain = text.Replace("_", "", StringComparison.Ordinal);
        var isNegative = plain[0] == '-';
        if (Magnitude(plain.AsSpan(plain[0] is '+' or '-' ? 1 : 0)) is { } magnitude)
        {
            if (!isNegative)
                return magnitude <= long.MaxValue ? JsonValue.Create((long)magnitude) : JsonValue.Create(magnitude);
            if (magnitude <= 1UL << 63)
                return JsonValue.Create(unchecked(-(long)magnitude));
        }
        return
            Float.IsMatch(plain)
            && double.TryParse(plain, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            && double.IsFinite(number)
            ? JsonValue.Create(number)
            : null;
    }

    /// <summary>An integer without its sign: binary, octal, which a leading zero makes too, hexadecimal or decimal; else null.</summary>
    private static ulong? Magnitude(ReadOnlySpan<char> digits)
    {
        var (numberBase, prefix) = digits switch
        {
            ['0', 'x' or 'X', ..] => (16u, 2),
            ['0', 'o' or 'O', ..] => (8u, 2),
            ['0', 'b' or 'B', ..] => (2u, 2),
            ['0', _, ..] => (8u, 1),
            _ => (10u, 0),
        };
        digits = digits[prefix..];
        if (digits.IsEmpty)
            return null;
        UInt128 value = 0;
        foreach (var digit in digits)
        {
            var next = char.IsAsciiHexDigit(digit) ? (uint)(digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10) : uint.MaxValue;
            if (next >= numberBase)
                return null;
            value = (value * numberBase) + next;
            if (value > ulong.MaxValue)
                return null;
        }
        return (ulong)value;
    }

    [GeneratedRegex(@"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\z")]
    private static partial Regex Float { get; }
}
