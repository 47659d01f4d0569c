using System.Text.Json;
using ProxySwapper.Kubernetes;

namespace ProxySwapper.Tests.Kubernetes;

/// <summary>Lists that are read as a stream.</summary>
[TestFixture]
internal sealed class ListReaderTests
{
    private const string Pods = """
        { "kind": "PodList", "other": [ { "items": [1] }, null ], "metadata": { "resourceVersion": "7", "continue": "next" },
          "items": [ { "name": "a", "items": [ { "name": "no" } ] }, { "name": "b", "labels": { "é": "\u00e9 ü" } }, { "name": "c" } ] }
        """;

    private ScriptedApiServer _server = null!;

    [SetUp]
    public async Task Start() => _server = await ScriptedApiServer.StartAsync();

    [TearDown]
    public ValueTask Stop() => _server.DisposeAsync();

    [TestCase(1)]
    [TestCase(7)]
    [TestCase(10_000)]
    public async Task Items_are_found_wherever_the_response_is_cut(int length)
    {
        var stream = _server.RespondWithStream();
        foreach (var piece in Pods.Chunk(length))
            stream.Write(new string(piece));
        stream.End();
        var (names, version, token) = await ReadAsync();
        Assert.That((string.Join(' ', names), version, token), Is.EqualTo(("a b c", "7", "next")));
    }

    [TestCase("""{"items":null,"metadata":{"resourceVersion":"7"}}""", "7")]
    [TestCase("""{"metadata":{"resourceVersion":"7","continue":""},"items":[]}""", "7")]
    [TestCase("""{"items":[]}""", "")]
    public async Task A_list_may_be_empty(string body, string expected)
    {
        _server.Respond(200, body);
        var (names, version, token) = await ReadAsync();
        Assert.That((names.Count, version, token), Is.EqualTo((0, expected, (string?)null)));
    }

    [TestCase("", "the response is not a list in JSON")]
    [TestCase("<html>", "the response is not a list in JSON")]
    [TestCase("[]", "an item must be an object")]
    [TestCase("""{"items":[{"name":"a"},""", "the response is not a list in JSON")]
    [TestCase("""{"items":[{"name":"a"}]""", "the response is not a list in JSON")]
    public void An_incomplete_list_is_rejected(string body, string message)
    {
        _server.Respond(200, body);
        Assert.That(ReadAsync, Throws.TypeOf<KubernetesException>().With.Message.StartWith("list pods: ").And.Message.Contains(message));
    }

    [Test]
    public void A_list_that_ends_early_is_an_error()
    {
        var stream = _server.RespondWithStream().Write("""{"items":[{"name":"a"},""");
        using var client = _server.Client();
        Assert.That(
            () => client.ReadListAsync("/api/v1/pods", _ => stream.BreakOff(), default),
            Throws.TypeOf<KubernetesException>().With.Message.StartWith("list pods: the response ended early")
        );
    }

    [Test]
    public void An_item_that_never_ends_is_rejected()
    {
        var stream = _server.RespondWithStream().Write("""{"items":[{"name":"a"},{"name":" """);
        for (var i = 0; i < 17; i++)
            stream.Write(new string('x', 1024 * 1024));
        Assert.That(ReadAsync, Throws.TypeOf<KubernetesException>().With.Message.Contains("an item is larger than 16 MiB"));
    }

    private async Task<(List<string> Names, string Version, string? Continue)> ReadAsync()
    {
        using var client = _server.Client();
        var names = new List<string>();
        var (version, token) = await client.ReadListAsync("/api/v1/pods", pod => names.Add(Name(pod)), default);
        return (names, version, token);
    }

    private static string Name(JsonElement pod) => pod.GetProperty("name").GetString()!;
}
