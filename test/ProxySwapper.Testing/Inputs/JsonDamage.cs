using System.Text;
using System.Text.RegularExpressions;

namespace ProxySwapper.Testing.Inputs;

/// <summary>Changes JSON so that it mostly stays JSON: other types, values out of range, members twice or gone, odd strings.</summary>
internal static partial class JsonDamage
{
    private static readonly string[] Replacements =
    [
        "null",
        "true",
        "-1",
        "0",
        "1.5",
        "1e999",
        "99999999999999999999999",
        "[]",
        "{}",
        "[[[]]]",
        "[null]",
        "{\"\":null}",
        "\"\"",
        "\"\\ud800\"",
        "\"\\u0000\"",
        "\"..\"",
        "\"sha256:zz\"",
        "\"9999-99-99T99:99:99Z\"",
        "\"a\\r\\nb\"",
    ];

    public static void Apply(StringBuilder text, Random random)
    {
        var values = ValuePattern().Matches(text.ToString());
        if (values.Count == 0 || random.Next(6) == 0)
        {
            var at = random.Next(text.Length + 1);
            text.Remove(at, Math.Min(random.Next(1, 10), text.Length - at));
            return;
        }
        var value = values[random.Next(values.Count)];
        var replacement = Replacements[random.Next(Replacements.Length)];
        switch (random.Next(5))
        {
            case 0:
                // The member again.
                text.Insert(value.Index + value.Length, $",{value.Value}");
                break;
            case 1:
                text.Remove(value.Index, value.Length);
                break;
            default:
                var colon = value.Value.IndexOf(':', value.Value.IndexOf('"', 1)) + 1;
                text.Remove(value.Index + colon, value.Length - colon).Insert(value.Index + colon, replacement);
                break;
        }
    }

    [GeneratedRegex("\"[A-Za-z.]+\":\\s*(\"[^\"]*\"|[0-9]+|true|false|null|\\{[^{}]*\\}|\\[[^\\[\\]]*\\])", RegexOptions.CultureInvariant)]
    private static partial Regex ValuePattern();
}
