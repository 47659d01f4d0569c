using System.Text;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Tests.Registry.Transport;

/// <summary>The text of an error is found in every form in which registries, token servers and proxies send it.</summary>
[TestFixture]
internal sealed class ErrorResponseReaderTests
{
    [TestCase("""{"errors":[{"code":"DENIED","message":"why"}]}""", "DENIED/why")]
    [TestCase("""{"errors":[{"code":"DENIED","message":"","detail":"why"}]}""", "DENIED/why")]
    [TestCase("""{"errors":[{"code":"DENIED","detail":{"quota":1}}]}""", """DENIED/{"quota":1}""")]
    [TestCase("""{"errors":[{"code":"DENIED","message":"why","detail":"more"}]}""", "DENIED/why")]
    [TestCase("""{"errors":["why","",{"code":"DENIED"},3,null,{}]}""", "/why DENIED/")]
    [TestCase("""{"errors":{"code":"DENIED","message":"why"}}""", "DENIED/why")]
    [TestCase("""{"errors":"why"}""", "/why")]
    [TestCase("""{"errors":[],"message":"why"}""", "/why")]
    [TestCase("""{"errors":null,"error":"denied","error_description":"why"}""", "denied/why")]
    [TestCase("""{"error":"denied","message":"why"}""", "denied/why")]
    [TestCase("""{"error":{"code":403,"message":"why"}}""", "/why")]
    [TestCase("""{"error":{"code":"DENIED","message":"why"}}""", "DENIED/why")]
    [TestCase("""{"details":"why"}""", "/why", Description = "Docker Hub's token server")]
    [TestCase("""{"message":"why"}""", "/why")]
    [TestCase("""{"type":"about:blank","title":"Forbidden","status":403,"detail":"why"}""", "/Forbidden: why")]
    [TestCase("""{"type":"about:blank","title":"Forbidden","status":403}""", "/Forbidden")]
    [TestCase("""{"status":403}""", "")]
    [TestCase("[]", "")]
    public void The_text_of_an_error_is_found(string body, string expected) =>
        Assert.That(
            string.Join(' ', Parse(body, "application/json").Select(error => $"{error.Code}/{error.Message}")),
            Is.EqualTo(expected)
        );

    [Test]
    public void Many_errors_are_bounded() =>
        Assert.That(Parse($$"""{"errors":[{{string.Join(',', Enumerable.Repeat("\"x\"", 100))}}]}""", null), Has.Count.EqualTo(8));

    [TestCase("""{"errors":[{"code":"A\\ud800","message":"x"}]}""")]
    [TestCase("""{"error":"\\udfff"}""")]
    [TestCase("""{"message":3,"errors":[null,3,{"code":{}}]}""")]
    public void Json_that_is_no_text_is_no_bug(string body) => Assert.That(() => Parse(body, "application/json"), Throws.Nothing);

    private static IReadOnlyList<RegistryError> Parse(string body, string? mediaType) =>
        ErrorResponseReader.Parse(Encoding.UTF8.GetBytes(body), mediaType);
}
