using System.Text.Json.Nodes;
using ProxySwapper.Kubernetes;
using ProxySwapper.Switching;
using ProxySwapper.Tests.Kubernetes;

namespace ProxySwapper.Tests.Switching;

[TestFixture]
internal sealed class WebhookSwitchTests
{
    private const string Conflict = """{"kind":"Status","reason":"Conflict"}""";
    private const string Forbidden = """{"kind":"Status","reason":"Forbidden"}""";
    private const string Missing = """{"kind":"Status","reason":"NotFound","code":404}""";
    private static readonly string[] Both = ["MutatingWebhookConfiguration", "MutatingAdmissionPolicyBinding"];

    [Test]
    public async Task A_change_between_storing_and_removing_is_stored_again()
    {
        await using var server = await ScriptedApiServer.StartAsync();
        WithoutBinding(server.Respond(200, Webhook("1"))).Respond(200, "{}").Respond(409, Conflict);
        WithoutBinding(server.Respond(200, Webhook("2"))).Respond(200, "{}").Respond(200, "{}");
        using var client = server.Client();
        var removed = await new WebhookSwitch(client, "w").DisableAsync(null, default);
        Assert.That(removed!.Store.ToString(), Is.EqualTo("ConfigMap a/b"));
        Assert.That(removed.Kinds, Is.EqualTo(new[] { "MutatingWebhookConfiguration" }));
        Assert.That(Changes(server), Is.EqualTo(new[] { "PATCH", "DELETE", "PATCH", "DELETE" }));
    }

    [Test]
    public async Task A_webhook_and_a_binding_of_one_name_are_removed_and_restored_together()
    {
        await using var server = await ScriptedApiServer.StartAsync();
        // The binding is changed after it was stored, the webhook is not.
        server.Respond(200, Webhook("1")).Respond(200, Binding("1")).Respond(200, "{}").Respond(200, "{}").Respond(409, Conflict);
        server.Respond(404, Missing).Respond(200, Binding("2")).Respond(200, "{}").Respond(200, "{}");
        using var client = server.Client();
        var toggle = new WebhookSwitch(client, "w");
        var removed = await toggle.DisableAsync(null, default);
        Assert.That(removed!.Store.ToString(), Is.EqualTo("ConfigMap a/b"), "the webhook's, since the binding names none");
        Assert.That(removed.Kinds, Is.EqualTo(Both));
        Assert.That(removed.Fault, Is.Null);
        Assert.That(Changes(server), Is.EqualTo(new[] { "PATCH", "DELETE", "DELETE", "PATCH", "DELETE" }));

        var kept = JsonNode.Parse(server.Bodies.Last(body => body.Contains("disabled-webhook", StringComparison.Ordinal)))!;
        var list = (string)kept["metadata"]!["annotations"]!["proxyswapper.io/disabled-webhook"]!;
        Assert.That(JsonNode.Parse(list)!["items"]!.AsArray().Select(item => (string)item!["kind"]!), Is.EqualTo(Both));
        Assert.That(list, Does.Contain("\"a\":\"2\"").And.Not.Contain("\"a\":\"1\""), "the binding that was removed");
        var map = new JsonObject { ["metadata"] = kept["metadata"]!.DeepClone() }.ToJsonString();
        server.Respond(200, map).Respond(409, """{"kind":"Status","reason":"AlreadyExists"}""").Respond(201, "{}").Respond(200, "{}");
        Assert.That(await toggle.EnableAsync(removed.Store, default), Is.EqualTo(EnableOutcome.Restored));
        Assert.That(Changes(server).TakeLast(3), Is.EqualTo(new[] { "POST", "POST", "PATCH" }));
    }

    [Test]
    public async Task A_kept_configuration_with_a_member_twice_is_rejected()
    {
        const string Kept = """{"kind":"MutatingWebhookConfiguration","kind":"x"}""";
        await using var server = await ScriptedApiServer.StartAsync();
        using var client = server.Client();
        var map = new JsonObject
        {
            ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { ["proxyswapper.io/disabled-webhook"] = Kept } },
        };
        server.Respond(200, map.ToJsonString());
        Assert.That(
            () => new ConfigMapStore(client, "a", "b").FindAsync(default),
            Throws.TypeOf<WebhookSwitchException>().With.Message.Contains("of ConfigMap a/b is not valid JSON: Duplicate property 'kind'")
        );
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, Kept);
            Assert.That(
                () => new FileStore(file).FindAsync(default),
                Throws.TypeOf<WebhookSwitchException>().With.Message.Contains($"cannot read file {file}: Duplicate property 'kind'")
            );
        }
        finally
        {
            File.Delete(file);
        }
    }

    [TestCase("""{"kind":5}""")]
    [TestCase("""{"kind":"MutatingWebhookConfiguration","metadata":[]}""")]
    [TestCase("""{"kind":"MutatingWebhookConfiguration","metadata":{"name":5}}""")]
    [TestCase("""{"kind":"List"}""")]
    [TestCase("""{"kind":"List","items":[5]}""")]
    public async Task A_kept_object_of_another_form_is_rejected(string kept)
    {
        await using var server = await ScriptedApiServer.StartAsync();
        using var client = server.Client();
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, kept);
            Assert.That(
                () => new WebhookSwitch(client, "w").EnableAsync(new FileStore(file), default),
                Throws.TypeOf<WebhookSwitchException>().With.Message.Contains($"file {file} is not a MutatingWebhookConfiguration or")
            );
            Assert.That(server.Requests, Is.Empty);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Test]
    public async Task Fields_of_a_newer_Kubernetes_are_restored_too()
    {
        const string Webhooks = """[{"name":"x","newField":{"deep":[1,null]},"timeoutSeconds":5}]""";
        await using var server = await ScriptedApiServer.StartAsync();
        var webhook = JsonNode.Parse(Webhook("1"))!;
        webhook["webhooks"] = JsonNode.Parse(Webhooks);
        WithoutBinding(server.Respond(200, webhook.ToJsonString())).Respond(200, "{}").Respond(200, "{}");
        using var client = server.Client();
        var toggle = new WebhookSwitch(client, "w");
        var removed = await toggle.DisableAsync(null, default);
        var kept = JsonNode.Parse(server.Bodies.Last(body => body.Contains("disabled-webhook", StringComparison.Ordinal)))!;
        var map = new JsonObject { ["metadata"] = kept["metadata"]!.DeepClone() }.ToJsonString();
        server.Respond(200, map).Respond(201, "{}").Respond(200, "{}");
        await toggle.EnableAsync(removed!.Store, default);
        var restored = server.Requests.Zip(server.Bodies).Single(call => call.First.StartsWith("POST", StringComparison.Ordinal)).Second;
        Assert.That(JsonNode.Parse(restored)!["webhooks"]!.ToJsonString(), Is.EqualTo(Webhooks));
    }

    [Test]
    public async Task If_one_of_two_cannot_be_removed_the_other_is()
    {
        await using var server = await ScriptedApiServer.StartAsync();
        server.Respond(200, Webhook("1")).Respond(200, Binding("1")).Respond(200, "{}").Respond(403, Forbidden).Respond(200, "{}");
        using var client = server.Client();
        var removed = await new WebhookSwitch(client, "w").DisableAsync(null, default);
        Assert.That(removed!.Kinds, Is.EqualTo(Both.Skip(1)));
        Assert.That(removed.Fault, Does.Contain("mutatingwebhookconfigurations").And.Contain("HTTP 403"));
    }

    [Test]
    public async Task Whoever_may_only_read_the_webhook_can_disable_it()
    {
        await using var server = await ScriptedApiServer.StartAsync();
        server.Respond(200, Webhook("1")).Respond(403, Forbidden).Respond(403, Forbidden).Respond(403, Forbidden);
        server.Respond(200, "{}").Respond(200, "{}");
        using var client = server.Client();
        Assert.That((await new WebhookSwitch(client, "w").DisableAsync(null, default))!.Fault, Is.Null);
        // Nothing is found, which is not the same as that nothing exists.
        server.Respond(404, Missing).Respond(403, Forbidden).Respond(403, Forbidden).Respond(403, Forbidden);
        Assert.ThrowsAsync<KubernetesException>(() => new WebhookSwitch(client, "w").DisableAsync(null, default));
    }

    [Test]
    public async Task After_repeated_concurrent_changes_disabling_gives_up()
    {
        await using var server = await ScriptedApiServer.StartAsync();
        for (var i = 0; i < 5; i++)
            WithoutBinding(server.Respond(200, Webhook($"{i}"))).Respond(200, "{}").Respond(409, Conflict);
        using var client = server.Client();
        var fault = Assert.ThrowsAsync<KubernetesException>(() => new WebhookSwitch(client, "w").DisableAsync(null, default));
        Assert.That(fault!.Reason, Is.EqualTo("Conflict"));
    }

    [TestCase("{}")]
    [TestCase("""{"proxyswapper.io/config-map":"no-slash"}""")]
    public async Task A_webhook_without_a_place_to_store_it_is_not_removed(string annotations)
    {
        await using var server = await ScriptedApiServer.StartAsync();
        WithoutBinding(
            server.Respond(200, $$$"""{"kind":"MutatingWebhookConfiguration","metadata":{"name":"w","annotations":{{{annotations}}} }}""")
        );
        using var client = server.Client();
        var fault = Assert.ThrowsAsync<WebhookSwitchException>(() => new WebhookSwitch(client, "w").DisableAsync(null, default));
        Assert.That(fault!.Message, Does.Contain("--config-map NAMESPACE/NAME or --file FILE"));
    }

    [TestCase("not json")]
    [TestCase("[]")]
    [TestCase("""{\"kind\":\"Pod\",\"metadata\":{\"name\":\"w\"}}""")]
    [TestCase("""{\"kind\":\"MutatingWebhookConfiguration\",\"metadata\":{\"name\":\"another\"}}""")]
    [TestCase("""{\"kind\":\"List\",\"items\":[{\"kind\":\"MutatingWebhookConfiguration\",\"metadata\":{\"name\":\"w\"}},7]}""")]
    public async Task The_stored_object_must_be_that_webhook(string kept)
    {
        await using var server = await ScriptedApiServer.StartAsync();
        server.Respond(
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
        server.Respond(status, body);
        using var client = server.Client();
        Assert.That(
            Assert.ThrowsAsync<WebhookSwitchException>(() => ConfigMapStore.FindOfAsync(client, "w", default))!.Message,
            Is.EqualTo(message)
        );
    }

    /// <summary>Three versions of the API are requested.</summary>
    private static ScriptedApiServer WithoutBinding(ScriptedApiServer server) =>
        server.Respond(404, Missing).Respond(404, Missing).Respond(404, Missing);

    private static IEnumerable<string> Changes(ScriptedApiServer server) =>
        server.Requests.Select(request => request.Split(' ')[0]).Where(method => method != "GET");

    private static string Binding(string version) =>
        $$$"""
            {"kind":"MutatingAdmissionPolicyBinding","apiVersion":"admissionregistration.k8s.io/v1",
             "metadata":{"name":"w","uid":"v","resourceVersion":"{{{version}}}","labels":{"a":"{{{version}}}"} } }
            """;

    private static string Webhook(string version) =>
        (
            """{"kind":"MutatingWebhookConfiguration","metadata":"""
            + """{"name":"w","uid":"u","resourceVersion":"VERSION","annotations":{"proxyswapper.io/config-map":"a/b"}}}"""
        ).Replace("VERSION", version, StringComparison.Ordinal);
}
