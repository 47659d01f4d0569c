using ProxySwapper.Kubernetes;
using ProxySwapper.Switching;
using ProxySwapper.Tests.Kubernetes;

namespace ProxySwapper.Tests.Switching;

[TestFixture]
internal sealed class WebhookSwitchTests
{
    [Test]
    public async Task A_change_between_storing_and_removing_is_stored_again()
    {
        await using var server = await ScriptedApiServer.StartAsync();
        server
            .Answer(200, Webhook("1"))
            .Answer(200, "{}")
            .Answer(409, """{"kind":"Status","reason":"Conflict"}""")
            .Answer(200, Webhook("2"))
            .Answer(200, "{}")
            .Answer(200, "{}");
        using var client = server.Client();
        var store = await new WebhookSwitch(client, "w").DisableAsync(null, default);
        Assert.That(store!.ToString(), Is.EqualTo("ConfigMap a/b"));
        Assert.That(
            server.Requests.Select(request => request.Split(' ')[0]),
            Is.EqualTo(new[] { "GET", "PATCH", "DELETE", "GET", "PATCH", "DELETE" })
        );
    }

    [Test]
    public async Task After_repeated_concurrent_changes_disabling_gives_up()
    {
        await using var server = await ScriptedApiServer.StartAsync();
        for (var i = 0; i < 5; i++)
            server.Answer(200, Webhook($"{i}")).Answer(200, "{}").Answer(409, """{"kind":"Status","reason":"Conflict"}""");
        using var client = server.Client();
        var fault = Assert.ThrowsAsync<KubernetesException>(() => new WebhookSwitch(client, "w").DisableAsync(null, default));
        Assert.That(fault!.Reason, Is.EqualTo("Conflict"));
    }

    [TestCase("{}")]
    [TestCase("""{"proxyswapper.io/config-map":"no-slash"}""")]
    public async Task A_webhook_without_a_place_to_store_it_is_not_removed(string annotations)
    {
        await using var server = await ScriptedApiServer.StartAsync();
        server.Answer(200, $$$"""{"kind":"MutatingWebhookConfiguration","metadata":{"name":"w","annotations":{{{annotations}}} }}""");
        using var client = server.Client();
        var fault = Assert.ThrowsAsync<WebhookSwitchException>(() => new WebhookSwitch(client, "w").DisableAsync(null, default));
        Assert.That(fault!.Message, Does.Contain("--config-map NAMESPACE/NAME or --file FILE"));
    }

    [TestCase("not json")]
    [TestCase("[]")]
    [TestCase("""{\"kind\":\"Pod\",\"metadata\":{\"name\":\"w\"}}""")]
    [TestCase("""{\"kind\":\"MutatingWebhookConfiguration\",\"metadata\":{\"name\":\"another\"}}""")]
    public async Task The_stored_object_must_be_that_webhook(string kept)
    {
        await using var server = await ScriptedApiServer.StartAsync();
        server.Answer(
            200,
            """{"metadata":{"annotations":{"proxyswapper.io/disabled-webhook":"KEPT"}}}""".Replace("KEPT", kept, StringComparison.Ordinal)
        );
        using var client = server.Client();
        var fault = Assert.ThrowsAsync<WebhookSwitchException>(() =>
            new WebhookSwitch(client, "w").EnableAsync(new ConfigMapStore(client, "a", "b"), default)
        );
        Assert.That(fault!.Message, Does.Contain("ConfigMap a/b"));
    }

    [TestCase(
        403,
        """{"kind":"Status","reason":"Forbidden"}""",
        "no permission to find the release's ConfigMap; use --config-map NAMESPACE/NAME"
    )]
    [TestCase(
        200,
        """{"items":[]}""",
        "no ConfigMap has the label proxyswapper.io/webhook=w: use --config-map NAMESPACE/NAME or --file FILE"
    )]
    [TestCase(
        200,
        """{"items":[{"metadata":{"namespace":"a","name":"b"}},{"metadata":{"namespace":"c","name":"d"}}]}""",
        "several ConfigMaps have the label proxyswapper.io/webhook=w: use --config-map with one of a/b, c/d"
    )]
    public async Task The_ConfigMap_must_be_valid(int status, string body, string message)
    {
        await using var server = await ScriptedApiServer.StartAsync();
        server.Answer(status, body);
        using var client = server.Client();
        Assert.That(
            Assert.ThrowsAsync<WebhookSwitchException>(() => ConfigMapStore.FindOfAsync(client, "w", default))!.Message,
            Is.EqualTo(message)
        );
    }

    private static string Webhook(string version) =>
        (
            """{"kind":"MutatingWebhookConfiguration","metadata":"""
            + """{"name":"w","uid":"u","resourceVersion":"VERSION","annotations":{"proxyswapper.io/config-map":"a/b"}}}"""
        ).Replace("VERSION", version, StringComparison.Ordinal);
}
