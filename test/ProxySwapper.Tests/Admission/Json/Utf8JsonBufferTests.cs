using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FsCheck;
using ProxySwapper.Admission.Json;

namespace ProxySwapper.Tests.Admission.Json;

[TestFixture]
internal sealed class Utf8JsonBufferTests
{
    [FsCheck.NUnit.Property(MaxTest = 1000)]
    public bool Any_text_survives_a_round_trip(UnicodeString text)
    {
        using var buffer = new Utf8JsonBuffer();
        buffer.AppendString(text.Get ?? "");
        // JSON cannot represent half a surrogate pair.
        return JsonNode.Parse(buffer.Written)!.GetValue<string>() == Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text.Get ?? ""));
    }

    [TestCase("docker.io/library/nginx:1.25", "\"docker.io/library/nginx:1.25\"")]
    [TestCase("", "\"\"")]
    [TestCase("a \"b\" \\ <c> 'd' + é", "\"a \\\"b\\\" \\\\ <c> 'd' + é\"")]
    [TestCase("line\nline", "\"line\\nline\"")]
    public void Only_necessary_characters_are_escaped(string text, string json)
    {
        using var buffer = new Utf8JsonBuffer();
        buffer.AppendString(text);
        Assert.That(Encoding.UTF8.GetString(buffer.Written), Is.EqualTo(json));
    }

    [Test]
    public void Numbers_and_bytes_are_as_the_library_writes_them()
    {
        var bytes = Enumerable.Range(0, 1000).Select(number => (byte)number).ToArray();
        using var buffer = new Utf8JsonBuffer();
        buffer.Append("["u8);
        foreach (var number in new[] { 0, 7, int.MaxValue, int.MinValue })
        {
            buffer.Append(number);
            buffer.Append(","u8);
        }
        buffer.AppendBase64(bytes);
        buffer.Append("]"u8);
        Assert.That(
            Encoding.UTF8.GetString(buffer.Written),
            Is.EqualTo(JsonSerializer.Serialize(new object[] { 0, 7, int.MaxValue, int.MinValue, bytes }))
        );
    }

    [Test]
    public void The_buffer_grows_without_losing_content()
    {
        using var buffer = new Utf8JsonBuffer();
        var expected = new StringBuilder();
        for (var number = 0; number < 5000; number++)
        {
            buffer.AppendInString($"{number}é");
            expected.Append(number).Append('é');
        }
        Assert.That(Encoding.UTF8.GetString(buffer.Written), Is.EqualTo(expected.ToString()));
    }
}
