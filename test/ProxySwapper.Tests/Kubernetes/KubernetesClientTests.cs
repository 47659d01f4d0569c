using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using ProxySwapper.Kubernetes;
using ProxySwapper.Kubernetes.Connection;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Tests.Kubernetes;

[TestFixture]
internal sealed class KubernetesClientTests
{
    private ScriptedApiServer _server = null!;

    [SetUp]
    public async Task Start() => _server = await ScriptedApiServer.StartAsync();

    [TearDown]
    public ValueTask Stop() => _server.DisposeAsync();

    [Test]
    public void An_error_names_verb_resource_status_and_what_the_server_said()
    {
        _server.Respond(403, """{"kind":"Status","reason":"Forbidden","message":"configmaps is forbidden"}""");
        using var client = _server.Client();
        var fault = Assert.ThrowsAsync<KubernetesException>(() => client.PostAsync("/api/v1/namespaces/a/configmaps", [], default));
        Assert.That(fault!.Message, Is.EqualTo("create configmaps in namespace a: forbidden (HTTP 403): configmaps is forbidden"));
    }

    [TestCase(403, """{"kind":"Status","message":"no pods/portforward"}""", "forbidden (HTTP 403): no pods/portforward")]
    [TestCase(200, "{}", "the server does not support v4.channel.k8s.io over WebSocket")]
    public void A_port_that_is_not_forwarded_is_an_error_with_the_reason(int status, string body, string reason)
    {
        _server.Respond(status, body);
        using var client = _server.Client();
        var fault = Assert.ThrowsAsync<KubernetesException>(() => client.ForwardAsync("team", "web", 9090, default));
        Assert.That(fault!.Message, Is.EqualTo($"get pods/portforward team/web: {reason}"));
        Assert.That(_server.Requests, Is.EqualTo(["GET /api/v1/namespaces/team/pods/web/portforward?ports=9090"]));
    }

    [Test]
    public async Task A_missing_object_is_null_and_deleting_it_returns_false()
    {
        _server.Respond(404, "{}").Respond(404, "{}");
        using var client = _server.Client();
        Assert.That(
            (await client.GetAsync("/api/v1/x", default), await client.DeleteAsync("/api/v1/x", default)),
            Is.EqualTo(((JsonObject?)null, false))
        );
    }

    [Test]
    public void A_page_of_a_proxy_is_quoted_in_part()
    {
        _server.Respond(502, "<html>bad gateway</html>");
        using var client = _server.Client();
        var fault = Assert.ThrowsAsync<KubernetesException>(() => client.GetAsync("/version", default));
        Assert.That(fault!.Message, Is.EqualTo("GET /version: bad gateway (HTTP 502): <html>bad gateway</html>"));
    }

    [Test]
    public void An_unreachable_server_is_named_with_the_call()
    {
        using var client = new KubernetesClient(
            new KubernetesConnection(new Uri("http://127.0.0.1:1"), new FileCredentialSource(TimeProvider.System))
            {
                UsesEnvironmentProxy = false,
            },
            TimeProvider.System
        );
        var fault = Assert.ThrowsAsync<KubernetesException>(() => client.GetAsync("/version", default));
        Assert.That(fault!.Message, Does.StartWith("GET /version: no response: "));
    }

    [Test]
    public async Task The_proxy_and_the_impersonation_of_a_kubeconfig_are_used()
    {
        using var folder = new TemporaryFolder();
        var file = folder.Write(
            "config",
            $$"""
            current-context: c
            contexts: [{ name: c, context: { cluster: c, user: u } }]
            clusters: [{ name: c, cluster: { server: "http://cluster.example", proxy-url: "{{_server.Address}}" } }]
            users: [{ name: u, user: { as: someone, as-groups: [a], as-user-extra: { example.com/scope: [b] } } }]
            """
        );
        _server.Respond(200, "{}");
        using var client = new KubernetesClient(new KubeconfigReader(TimeProvider.System).Read([file], null), TimeProvider.System);
        await client.GetAsync("/version", default);
        var headers = _server.Headers.Single();
        Assert.That(
            new[] { "Host", "Impersonate-User", "Impersonate-Group", "Impersonate-Extra-example.com%2Fscope" }.Select(name =>
                headers[name]
            ),
            Is.EqualTo(["cluster.example", "someone", "a", "b"])
        );
    }

    [TestCase("http")]
    [TestCase("https")]
    public async Task The_password_of_a_kubeconfigs_proxy_is_sent_to_it_and_not_in_errors(string scheme)
    {
        using var folder = new TemporaryFolder();
        var file = folder.Write(
            "config",
            $$"""
            current-context: c
            contexts: [{ name: c, context: { cluster: c } }]
            clusters:
              - name: c
                cluster: { server: "{{scheme}}://cluster.example", proxy-url: "http://me:secret@{{_server.Address.Authority}}" }
            """
        );
        _server.Respond(407, "", ("Proxy-Authenticate", "Basic realm=\"x\"")).Respond(403, "{}");
        using var client = new KubernetesClient(new KubeconfigReader(TimeProvider.System).Read([file], null), TimeProvider.System);
        var fault = Assert.ThrowsAsync<KubernetesException>(() => client.GetAsync("/version", default));
        Assert.That(fault!.ToString(), Does.Not.Contain("secret").And.Contain("403"));
        Assert.That(_server.Headers.Last()["Proxy-Authorization"], Is.EqualTo($"Basic {Convert.ToBase64String("me:secret"u8)}"));
    }

    [Test]
    public async Task A_token_that_was_rejected_is_read_again_at_once()
    {
        using var folder = new TemporaryFolder();
        var file = folder.Write("token", "old\n");
        using var credentials = new FileCredentialSource(new FakeTimeProvider()) { TokenFile = file };
        using var client = _server.Client(credentials: credentials);
        _server.Respond(200, "{}").Respond(401, "{}").Respond(200, "{}");
        await client.GetAsync("/1", default);
        folder.Write("token", "new\n");
        await client.GetAsync("/2", default);
        Assert.That(_server.Requests, Is.EqualTo(["GET /1 Bearer old", "GET /2 Bearer old", "GET /2 Bearer new"]));
    }

    [Test]
    public async Task A_token_is_read_again_after_a_minute()
    {
        var time = new FakeTimeProvider();
        using var folder = new TemporaryFolder();
        var file = folder.Write("token", "old");
        using var credentials = new FileCredentialSource(time) { TokenFile = file };
        await credentials.GetAsync(false, default);
        folder.Write("token", "new");
        time.Advance(TimeSpan.FromSeconds(59));
        var before = (await credentials.GetAsync(false, default)).Authorization!.Parameter;
        time.Advance(TimeSpan.FromSeconds(1));
        var after = (await credentials.GetAsync(false, default)).Authorization!.Parameter;
        File.Delete(file);
        time.Advance(TimeSpan.FromMinutes(2));
        var gone = (await credentials.GetAsync(false, default)).Authorization!.Parameter;
        Assert.That((before, after, gone), Is.EqualTo(("old", "new", "new")));
    }

    [TestCase("one\ntwo\n", "it must be printable ASCII characters, on one line")]
    [TestCase("\0", "it must be printable ASCII characters, on one line")]
    [TestCase("\n", "the token is empty")]
    public async Task A_token_that_cannot_be_sent_is_reported_and_does_not_replace_the_last_one(string content, string message)
    {
        var time = new FakeTimeProvider();
        using var folder = new TemporaryFolder();
        var file = folder.Write("token", content);
        using var credentials = new FileCredentialSource(time) { TokenFile = file };
        var get = () => credentials.GetAsync(false, default).AsTask();
        Assert.That(get, Throws.TypeOf<KubernetesConnectionException>().With.Message.StartsWith($"{file}: ").And.Message.EndsWith(message));
        folder.Write("token", "good");
        await get();
        folder.Write("token", content);
        time.Advance(TimeSpan.FromMinutes(2));
        Assert.That((await get()).Authorization!.Parameter, Is.EqualTo("good"));
    }

    [Test]
    public async Task The_time_that_a_credential_takes_is_not_the_servers()
    {
        var time = new FakeTimeProvider();
        var credentials = new SlowCredentials();
        _server.Respond(200, "{}");
        using var client = _server.Client(time, credentials);
        var response = client.GetAsync("/x", default);
        time.Advance(TimeSpan.FromSeconds(31));
        credentials.Credential.SetResult(new KubernetesCredential(null, null));
        Assert.That(await response, Is.Not.Null);
    }

    [Test]
    public async Task An_overloaded_server_is_retried_after_its_Retry_After()
    {
        var time = new ImpatientTimeProvider();
        _server.Respond(429, "{}", ("Retry-After", "2")).Respond(200, """{"a":1}""");
        using var client = _server.Client(time);
        var response = await client.GetAsync("/x", default);
        Assert.That(
            ((int?)response!["a"], _server.Requests.Count, time.Pauses.Contains(TimeSpan.FromSeconds(2))),
            Is.EqualTo(((int?)1, 2, true))
        );
    }

    [Test]
    public async Task A_list_is_read_page_by_page_and_restarted_when_it_expired()
    {
        _server
            .Respond(200, Page("more", "a"))
            .Respond(410, """{"reason":"Expired","message":"too old","metadata":{"continue":"newer"}}""")
            .Respond(200, Page("last", "b"))
            .Respond(410, """{"reason":"Expired","message":"too old"}""")
            .Respond(200, Page("", "a", "b", "c"));
        using var client = _server.Client();
        var names = new List<string>();
        await foreach (var name in new PodClient(client).ListAsync(ResourceQuery.LivePods(null, "l=v"), Name, default))
            names.Add(name);
        Assert.That(names, Is.EqualTo(["a", "b", "a", "b", "c"]));
        const string selection = "labelSelector=l%3Dv&fieldSelector=status.phase%21%3DSucceeded%2Cstatus.phase%21%3DFailed";
        string[] tokens = ["", "&continue=more", "&continue=newer", "&continue=last", ""];
        Assert.That(_server.Requests, Is.EqualTo(tokens.Select(token => $"GET /api/v1/pods?limit=500{token}&{selection}")));
    }

    [Test]
    public async Task Pull_secrets_are_read_by_name_in_both_their_forms()
    {
        _server
            .Respond(200, """{"imagePullSecrets":[{"name":"one"},{}]}""")
            .Respond(200, """{"type":"kubernetes.io/dockerconfigjson","data":{".dockerconfigjson":"eyJhdXRocyI6e319"}}""")
            .Respond(200, """{"type":"kubernetes.io/dockercfg","data":{".dockercfg":"eyJoIjp7fX0="}}""")
            .Respond(200, """{"type":"Opaque","data":{".dockerconfigjson":"eyJhdXRocyI6e319"}}""")
            .Respond(404, "{}");
        using var client = _server.Client();
        var reader = new PullSecretReader(client);
        Assert.That(await reader.NamesOfAccountAsync("n", "default", default), Is.EqualTo(["one"]));
        Assert.That(await reader.DockerConfigAsync("n", "one", default), Is.EqualTo("""{"auths":{}}"""));
        Assert.That(await reader.DockerConfigAsync("n", "old", default), Is.EqualTo("""{"auths":{"h":{}}}"""));
        Assert.That(await reader.DockerConfigAsync("n", "opaque", default), Is.Null);
        Assert.That(await reader.DockerConfigAsync("n", "gone", default), Is.Null);
    }

    private static string Name(JsonElement pod) => pod.GetProperty("metadata").GetProperty("name").GetString()!;

    private static string Page(string next, params string[] names) =>
        new JsonObject
        {
            ["metadata"] = new JsonObject { ["continue"] = next },
            ["items"] = new JsonArray([
                .. names.Select(name => (JsonNode)new JsonObject { ["metadata"] = new JsonObject { ["name"] = name } }),
            ]),
        }.ToJsonString();

    private sealed class SlowCredentials : IKubernetesCredentialSource
    {
        public TaskCompletionSource<KubernetesCredential> Credential { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public async ValueTask<KubernetesCredential> GetAsync(bool rejected, CancellationToken cancellationToken) =>
            await Credential.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Records every timer, and lets short ones end at once.</summary>
    private sealed class ImpatientTimeProvider : TimeProvider
    {
        public System.Collections.Concurrent.ConcurrentBag<TimeSpan> Pauses { get; } = [];

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Pauses.Add(dueTime);
            return base.CreateTimer(callback, state, dueTime < TimeSpan.FromSeconds(10) ? TimeSpan.Zero : dueTime, period);
        }
    }
}
