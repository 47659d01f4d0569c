using System.Globalization;
using System.Text.RegularExpressions;

namespace ProxySwapper.Configuration.Yaml;

/// <summary>
/// What a plain scalar is for Helm and kubectl, which read YAML 1.1 (<see href="https://yaml.org/type/"/>) and pass it on as JSON:
/// <c>yes</c> is true, <c>0x10</c> is 16, <c>NaN</c> is a string.
/// </summary>
internal static partial class PlainScalar
{
    public static bool IsNull(string text) => text is "" or "~" or "null" or "Null" or "NULL";

    public static bool IsBoolean(string text) => IsTrue(text) || IsFalse(text);

    public static bool IsTrue(string text) => text is "y" or "Y" || IsWord(text, "true", "yes", "on");

    public static bool IsFalse(string text) => text is "n" or "N" || IsWord(text, "false", "no", "off");

    /// <summary>Reads a number: decimal, with a fraction or exponent, or in base 2, 8 or 16; underscores may group its digits.</summary>
    public static bool TryNumber(string text, out double number)
    {
        number = 0;
        if (Number().Match(text.Replace("_", "", StringComparison.Ordinal)) is not { Success: true } match || text[0] == '_')
            return false;
        var (digits, radix) =
            match.Groups["hex"] is { Success: true } hex ? (hex.Value, 16)
            : match.Groups["octal"] is { Success: true } octal ? (octal.Value, 8)
            : match.Groups["binary"] is { Success: true } binary ? (binary.Value, 2)
            : ("", 10);
        if (radix == 10)
            number = double.Parse(match.Groups["decimal"].Value, NumberStyles.Float, CultureInfo.InvariantCulture);
        foreach (var digit in digits)
            number = number * radix + Convert.ToInt32($"{digit}", 16);
        if (match.Groups["sign"].Value == "-")
            number = -number;
        return double.IsFinite(number);
    }

    /// <summary>In lower case, in upper case, or with a capital.</summary>
    private static bool IsWord(string text, params ReadOnlySpan<string> words)
    {
        foreach (var word in words)
            if (text == word || text == word.ToUpperInvariant() || text == char.ToUpperInvariant(word[0]) + word[1..])
                return true;
        return false;
    }

    [GeneratedRegex(
        @"^(?<sign>[-+]?)(?:0[xX](?<hex>[0-9a-fA-F]+)|0[bB](?<binary>[01]+)|0[oO]?(?<octal>[0-7]+)"
            + @"|(?<decimal>(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?))\z"
    )]
    private static partial Regex Number();
}
