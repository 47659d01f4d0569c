using System.Net;
using System.Text;
using System.Text.Json;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Tests.Registry.Transport;

/// <summary>A secret is not shown in any form in which servers echo what they were sent.</summary>
[TestFixture]
internal sealed class SentSecretsTests
{
    private static readonly string[] Passwords =
    [
        "s3cret",
        "s3cr<\"&'+/=%>t",
        "a&lt;b%41\\u0041\"c",
        "ends with \\",
        "päss wörd\"😀",
        "sch\\\\ön",
        "????>>>>~~~",
    ];

    private static readonly Dictionary<string, Func<string, string>> Encodings = new()
    {
        ["unchanged"] = text => text,
        ["HTML"] = WebUtility.HtmlEncode,
        ["HTML of Go"] = text => string.Concat(text.Select(letter => "<>&'\"+".Contains(letter) ? $"&#{(int)letter};" : letter.ToString())),
        ["HTML of Python"] = text => WebUtility.HtmlEncode(text).Replace("&#39;", "&#x27;", StringComparison.Ordinal),
        ["JSON"] = ToJson,
        ["JSON with escaped slashes"] = text => ToJson(text).Replace("/", "\\/", StringComparison.Ordinal),
        ["JSON of JavaScript"] = text =>
            text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal),
        ["JSON twice"] = text => ToJson(ToJson(text)),
        ["JSON three times"] = text => ToJson(ToJson(ToJson(text))),
        ["JSON in HTML"] = text => WebUtility.HtmlEncode(ToJson(text)),
        ["HTML in JSON"] = text => ToJson(WebUtility.HtmlEncode(text)),
        ["URL"] = Uri.EscapeDataString,
        ["URL twice"] = text => Uri.EscapeDataString(Uri.EscapeDataString(text)),
        ["form"] = WebUtility.UrlEncode,
        ["URL in JSON"] = text => ToJson(Uri.EscapeDataString(text)),
        ["Base64"] = ToBase64,
        ["Base64 without padding"] = text => ToBase64(text).TrimEnd('='),
        ["Base64 for URLs"] = text => ToBase64(text).Replace('+', '-').Replace('/', '_').TrimEnd('='),
        ["Base64 in JSON"] = text => ToJson(ToBase64(text)),
        ["hex"] = text => Convert.ToHexString(Encoding.UTF8.GetBytes(text)),
        ["lower hex"] = text => Convert.ToHexStringLower(Encoding.UTF8.GetBytes(text)),
    };

    [Test]
    public void No_form_of_a_password_is_shown(
        [ValueSource(nameof(Passwords))] string password,
        [ValueSource(nameof(EncodingNames))] string encoding
    ) => Assert.That(new SentSecrets(password).Show($"no \"{Encodings[encoding](password)}\"!", 400), Is.EqualTo("no \"***\"!"));

    [Test]
    public void What_is_no_secret_stays_as_it_was() =>
        Assert.That(
            new SentSecrets("s3cret", "abc").Show("a\\u0041 &lt;b&gt; %41 s3cre abc \\", 400),
            Is.EqualTo("a\\u0041 &lt;b&gt; %41 s3cre abc \\"),
            "texts of less than four characters are no secrets"
        );

    [Test]
    public void Secrets_that_overlap_leave_nothing_of_each_other() =>
        Assert.That(new SentSecrets("onetwo", "twothree", "two-").Show("a onetwothree, two-onetwo", 400), Is.EqualTo("a ***, ******"));

    /// <summary>Escapes of escapes, entities without end: the time is that of a few passes over the text.</summary>
    [TestCase("\\")]
    [TestCase("&")]
    [TestCase("&amp;")]
    [TestCase("%25")]
    [TestCase("\\u005c")]
    public void A_text_full_of_escapes_is_decoded_a_few_times_only(string escape)
    {
        var text = string.Concat(Enumerable.Repeat(escape, 64 * 1024 / escape.Length));
        var levels = UnescapedText.LevelsOf(text);
        Assert.That(levels, Has.Count.LessThanOrEqualTo(5));
        Assert.That(levels[^1].StartOf(levels[^1].Text.Length), Is.EqualTo(text.Length));
    }

    private static IEnumerable<string> EncodingNames => Encodings.Keys;

    private static string ToJson(string text) => JsonEncodedText.Encode(text).ToString();

    private static string ToBase64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
