using System.Text.Json;
using System.Text.Json.Nodes;
using ProxySwapper.Kubernetes;

namespace ProxySwapper.Tests.Kubernetes;

[TestFixture]
internal sealed class JsonFieldsTests
{
    private const string Pod = """
        {"metadata":{"name":"web","labels":[],"note":"","half":"\ud800","uid":7},"spec":{"containers":[{"name":"a"},{"name":"b"}]},"n":null}
        """;

    private static readonly JsonNode Node = JsonNode.Parse(Pod)!;
    private static readonly JsonElement Element = JsonSerializer.Deserialize<JsonElement>(Pod);

    [TestCase("web", "metadata", "name")]
    [TestCase(null, "metadata", "note", Description = "empty")]
    [TestCase(null, "metadata", "half", Description = "not text")]
    [TestCase(null, "metadata", "uid", Description = "a number")]
    [TestCase(null, "metadata", "labels", Description = "a list")]
    [TestCase(null, "metadata", "labels", "app", Description = "below a list")]
    [TestCase(null, "metadata", "name", "x", Description = "below a string")]
    [TestCase(null, "n", "x", Description = "below null")]
    [TestCase(null, "none")]
    [TestCase(null)]
    public void A_text_is_read_alike_from_nodes_and_elements(string? text, params string[] path)
    {
        Assert.That(Node.Text(path), Is.EqualTo(text));
        Assert.That(Element.Text(path), Is.EqualTo(text));
        Assert.That(Element.TextOrEmpty(path), Is.EqualTo(text ?? ""));
    }

    [Test]
    public void Items_of_what_is_not_a_list_are_none()
    {
        Assert.That(Element.Items("spec", "containers").Select(item => item.Text("name")), Is.EqualTo(new[] { "a", "b" }));
        Assert.That(Element.Items("metadata", "name"), Is.Empty);
        Assert.That(Element.Items("status", "conditions"), Is.Empty);
        Assert.That(Element.Items(), Is.Empty);
        Assert.That(
            JsonSerializer.Deserialize<JsonElement>("""{"a":["x",5,"","\ud800","y"]}""").Texts("a"),
            Is.EqualTo(new[] { "x", "y" })
        );
    }

    [Test]
    public void A_missing_member_is_null_or_undefined()
    {
        Assert.That(Node.Member("spec", "volumes"), Is.Null);
        Assert.That(Element.Member("spec", "volumes").ValueKind, Is.EqualTo(JsonValueKind.Undefined));
        Assert.That(default(JsonElement).Member("spec").ValueKind, Is.EqualTo(JsonValueKind.Undefined));
    }
}
