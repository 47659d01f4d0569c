using System.Collections.Concurrent;
using System.Text.Json;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace ProxySwapper.Testing.Inputs;

/// <summary>Odd values, and valid files in which one or two values are odd.</summary>
internal static class HostileValues
{
    /// <summary>Values that are text, whatever the key.</summary>
    private static readonly string[] Texts =
    [
        "",
        " ",
        "x ",
        "\t",
        "a\nb",
        "a\r\nb",
        "\u0001",
        "\u001b[31m",
        "\u0085",
        "\u202e",
        "\uFEFFx",
        "größe",
        "日本語",
        "😀",
        "İ",
        "ß.example",
        "-",
        ".",
        "..",
        "/",
        "//",
        "../../etc",
        "/dev/null/x",
        "[",
        "]",
        "[]",
        "[::1]:0",
        "[:::]:5000",
        "%",
        "%00",
        "%41%zz",
        "#",
        "?",
        "@",
        "@/dev/null",
        "\\",
        "*",
        "**",
        "$1",
        "${x}",
        "{0}",
        "(?<x>",
        "(a+)+$",
        ":5",
        ":99999",
        "a:99999",
        "a:0",
        "evil.example/",
        "u:p@evil.example/",
        "https://u:p@evil.example/?a#b",
        "file:///etc/hostname",
        "-1",
        "1e999",
        "99999999999999999999",
        "2026-99-99",
        "--help",
        new('a', 64),
        new('.', 30),
        new('.', 30),
        $"{new string('a', 300)}.example",
        new('9', 5_000),
        string.Concat(Enumerable.Repeat("a.", 20)),
        string.Concat(Enumerable.Repeat("a/", 200)),
    ];

    /// <summary>Values of other kinds, as YAML and mostly as JSON.</summary>
    private static readonly string[] Others =
    [
        "null",
        "~",
        "true",
        "0",
        "-1",
        "1.5",
        "1e999",
        ".nan",
        "0x7fffffffffffffff",
        "99999999999999999999",
        "[]",
        "[[]]",
        "[null]",
        """["a", "a"]""",
        "{}",
        """{"": ""}""",
        """{"a": {"b": null} }""",
        "!!binary x",
        "!!timestamp x",
    ];

    private static readonly ConcurrentDictionary<string, IReadOnlyList<(int Start, int Length)>> Places = new();

    /// <summary>An odd text.</summary>
    public static string Text(Random random) => Texts[random.Next(Texts.Length)];

    /// <summary>A file with odd values in place of one or two of its own; the file itself if it has none.</summary>
    public static string Replace(string file, Random random)
    {
        var places = Places.GetOrAdd(file, PlacesOf);
        var chosen = Enumerable.Range(0, places.Count == 0 ? 0 : random.Next(1, 3)).Select(_ => places[random.Next(places.Count)]);
        foreach (var (start, length) in chosen.Distinct().OrderDescending().ToList())
        {
            var value = random.Next(4) == 0 ? Others[random.Next(Others.Length)] : JsonSerializer.Serialize(Text(random));
            file = $"{file[..start]}{value}{file[(start + length)..]}";
        }
        return file;
    }

    /// <summary>Where a file has its values, which are no lists or mappings.</summary>
    private static List<(int Start, int Length)> PlacesOf(string file)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(file));
        return
        [
            .. stream
                .Documents.SelectMany(document => ValuesOf(document.RootNode))
                // Several lines are a block, which a value in quotes cannot replace everywhere.
                .Where(value => value is { Style: not (ScalarStyle.Literal or ScalarStyle.Folded), Anchor.IsEmpty: true })
                .Select(value => ((int)value.Start.Index, (int)(value.End.Index - value.Start.Index)))
                .Where(place => place.Item2 > 0)
                .Distinct(),
        ];
    }

    private static IEnumerable<YamlScalarNode> ValuesOf(YamlNode node) =>
        node switch
        {
            YamlMappingNode mapping => mapping.Children.Values.SelectMany(ValuesOf),
            YamlSequenceNode list => list.SelectMany(ValuesOf),
            YamlScalarNode value => [value],
            _ => [],
        };
}
