using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using ProxySwapper.Admission.Json;

namespace ProxySwapper.Tests.Admission.Json;

internal sealed class JsonScannerTests
{
    private const int MaximumDepth = 8;

    /// <summary>The elements of JSON, and similar text that is invalid.</summary>
    private static readonly string[] Pieces =
    [
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        " ",
        "\n",
        "\t",
        "\f",
        "\u00a0",
        "\"a\"",
        "\"\"",
        "\"\\u00e4\\n\"",
        "\"\\ud83d\\ude00\"",
        "\"\\ud83d\"",
        "\"ä😀\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"",
        "\\",
        "null",
        "true",
        "false",
        "nul",
        "True",
        "0",
        "-0",
        "00",
        "1",
        "-1",
        "-",
        "1.5",
        "1.",
        ".5",
        "1e5",
        "1E+5",
        "1e-",
        "+1",
        "NaN",
        "{}",
        "[]",
        "{\"a\":1}",
        "[1,2]",
        "\"b\":",
        "//",
        "\0",
    ];

    [FsCheck.NUnit.Property(MaxTest = 3000)]
    public Property Accepts_exactly_what_the_runtimes_reader_accepts() =>
        Prop.ForAll(
            Gen.Elements(Pieces).ListOf().Select(pieces => Encoding.UTF8.GetBytes(string.Concat(pieces))).ToArbitrary(),
            AreTheSame
        );

    [FsCheck.NUnit.Property(MaxTest = 2000)]
    public Property Accepts_exactly_what_the_runtimes_reader_accepts_of_damaged_text() =>
        Prop.ForAll(
            (
                from at in Gen.Choose(0, 10_000)
                from to in Gen.Choose(0, 255)
                from cut in Gen.Elements(false, true)
                select (at, to, cut)
            ).ToArbitrary(),
            change =>
            {
                var text = """{"a": [1, -2.5e+3, {"b": "c\u00e4\"", "d": null}, [], {}], "e": true, "f": """u8
                    .ToArray()
                    .Concat("""{"g": {"h": [false, "😀"]}}}"""u8.ToArray())
                    .ToArray();
                var at = change.at % text.Length;
                text[at] = (byte)change.to;
                return AreTheSame(change.cut ? text[..at] : text);
            }
        );

    [Test]
    public void Accepts_exactly_what_the_runtimes_reader_accepts_wherever_in_a_block_a_string_ends(
        [Values("", "\"", "\\\"", "\\\\", "\\", "\\u00e4", "\u0001", "\u001f", "\u007f", "ä", "😀")] string piece,
        [Values(0, 1, 31, 63, 64, 65)] int behind
    ) =>
        Assert.That(
            Enumerable.Range(0, 140),
            Has.All.Matches<int>(before =>
                AreTheSame(Encoding.UTF8.GetBytes($"[\"{new string('x', before)}{piece}{new string('y', behind)}\",\"z\"]"))
            )
        );

    [TestCase(MaximumDepth, true)]
    [TestCase(MaximumDepth + 1, false)]
    public void Nesting_is_limited(int depth, bool isTaken)
    {
        Assert.That(IsTaken(Encoding.UTF8.GetBytes(new string('[', depth) + new string(']', depth))), Is.EqualTo(isTaken));
        Assert.That(
            IsTaken(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("{\"a\":", depth)) + "1" + new string('}', depth))),
            Is.EqualTo(isTaken)
        );
    }

    [Test]
    public void Reads_strings_with_escapes()
    {
        var scanner = new JsonScanner("""{"\u0061":"x\ty","b":"ä\ud83d\ude00","c":5,"original":""}"""u8, MaximumDepth);
        Assert.That(scanner.EnterObject(), Is.True);
        Assert.That(scanner.NextMember(), Is.True);
        Assert.That((scanner.NameIs("a"u8), scanner.NameIs("a"), scanner.NameIs("b"u8)), Is.EqualTo((true, true, false)));
        Assert.That(scanner.Text(), Is.EqualTo("x\ty"));
        Assert.That(scanner.NextMember(), Is.True);
        Assert.That(scanner.Text(), Is.EqualTo("ä😀"));
        Assert.That(scanner.NextMember(), Is.True);
        Assert.That(scanner.Text(), Is.Null);
        Assert.That(scanner.NextMember(), Is.True);
        Assert.That(scanner.NameIs("orig"u8), Is.False);
        Assert.That(scanner.Text(), Is.Empty);
        Assert.That(scanner.NextMember(), Is.False);
        scanner.End();
    }

    [TestCase("\"\\ud83d\"")]
    [TestCase("\"\\ude00\\ud83d\"")]
    public void A_string_that_is_read_must_be_valid_Unicode(string text) =>
        Assert.That(() => TextOf(Encoding.UTF8.GetBytes(text)), Throws.InstanceOf<JsonException>());

    [Test]
    public void A_string_that_is_read_must_be_valid_UTF8() =>
        Assert.That(() => TextOf([(byte)'"', 0xff, (byte)'"']), Throws.InstanceOf<JsonException>());

    [TestCase("{\"a\" 1}", "expected ':', at byte 5")]
    [TestCase("{\"a\":1 \"b\"", "expected ',', at byte 7")]
    [TestCase("{1:2}", "expected a property name in double quotes, at byte 1")]
    [TestCase("[1] x", "unexpected text after the end, at byte 3")]
    [TestCase("[01]", "a number starts with zero, at byte 1")]
    public void An_error_names_cause_and_position(string text, string fault) =>
        Assert.That(() => Skip(Encoding.UTF8.GetBytes(text)), Throws.InstanceOf<JsonException>().With.Message.EqualTo(fault));

    private static bool AreTheSame(byte[] text) => IsTaken(text) == IsTakenByRuntime(text);

    private static bool IsTaken(byte[] text)
    {
        try
        {
            Skip(text);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static bool IsTakenByRuntime(byte[] text)
    {
        try
        {
            var reader = new Utf8JsonReader(text, new JsonReaderOptions { MaxDepth = MaximumDepth });
            while (reader.Read()) { }
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static void Skip(byte[] text)
    {
        var scanner = new JsonScanner(text, MaximumDepth);
        scanner.Skip();
        scanner.End();
    }

    private static string? TextOf(byte[] text) => new JsonScanner(text, MaximumDepth).Text();
}
