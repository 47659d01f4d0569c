using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using ProxySwapper.Kubernetes;
using ProxySwapper.Population.Transfer;
using ProxySwapper.Population.Work;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Tests.Kubernetes;

namespace ProxySwapper.Tests.Population.Transfer;

[TestFixture]
internal sealed class SourceCredentialsTests
{
    private static readonly ImageReference Image = ImageReference.Parse("up.example.com/app:1");

    private ScriptedApiServer _server = null!;
    private KubernetesClient _client = null!;

    [SetUp]
    public async Task Start()
    {
        _server = await ScriptedApiServer.StartAsync();
        _client = _server.Client();
    }

    [TearDown]
    public ValueTask Stop()
    {
        _client.Dispose();
        return _server.DisposeAsync();
    }

    [Test]
    public async Task The_pods_own_secrets_come_first_in_their_order_and_then_ours()
    {
        _server.Respond(200, Secret("one")).Respond(200, Secret("other-host")).Respond(200, Secret("two"));
        Assert.That(await NamesAsync(new("team", "pod", "default", ["a", "b", "c"]) { Uid = "u" }), Is.EqualTo(["one", "two", "own"]));
        Assert.That(_server.Requests, Is.EqualTo(new[] { "a", "b", "c" }.Select(name => $"GET /api/v1/namespaces/team/secrets/{name}")));
    }

    [Test]
    public async Task A_pod_without_secrets_has_those_of_its_account()
    {
        _server.Respond(200, """{"imagePullSecrets":[{"name":"shared"}]}""").Respond(200, Secret("one"));
        Assert.That(await NamesAsync(new("team", "pod", "builder", []) { Uid = "u" }), Is.EqualTo(["one", "own"]));
        Assert.That(
            _server.Requests,
            Is.EqualTo(["GET /api/v1/namespaces/team/serviceaccounts/builder", "GET /api/v1/namespaces/team/secrets/shared"])
        );
    }

    [Test]
    public async Task A_secret_is_read_when_its_turn_comes_and_not_before()
    {
        _server.Respond(200, Secret("one"));
        await foreach (
            var (_, source) in Credentials(true)
                .ForAsync(Image, [new("team", "pod", "default", ["a", "b"]) { Uid = "u" }], _ => false, default)
        )
            break;
        Assert.That(_server.Requests, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Nothing_is_read_unless_it_is_switched_on()
    {
        var names = new List<string>();
        await foreach (
            var (_, source) in Credentials(false).ForAsync(Image, [new("team", "pod", "default", ["a"]) { Uid = "u" }], _ => false, default)
        )
            names.Add(((Named)source).Name);
        Assert.That((names.Single(), _server.Requests.Count), Is.EqualTo(("own", 0)));
    }

    [Test]
    public async Task For_a_pod_that_only_a_review_has_shown_nothing_is_read()
    {
        Assert.That(await NamesAsync(new("team", "pod", "builder", ["a"])), Is.EqualTo(["own"]));
        Assert.That(_server.Requests, Is.Empty);
    }

    [Test]
    public async Task A_secret_that_we_may_not_read_is_skipped_and_reported_once()
    {
        var log = new CapturedLog();
        var credentials = Credentials(true, log);
        for (var i = 0; i < 3; i++)
        {
            _server.Respond(403, """{"kind":"Status","message":"secrets is forbidden","code":403}""").Respond(200, Secret("two"));
            Assert.That(await ListAsync(credentials, Of("team", "a", "b")), Is.EqualTo(["two", "own"]));
        }
        Assert.That(log.Lines.Count(line => line.Text.Contains("The secrets of namespace team", StringComparison.Ordinal)), Is.EqualTo(1));
    }

    [Test]
    public void What_is_reported_of_one_namespace_leaves_room_for_the_others()
    {
        var once = new OncePerNamespace();
        var ofHostile = Enumerable.Range(0, 10_000).Count(number => once.IsFirst("hostile", $"pull secret {number}"));
        Assert.That((ofHostile, once.IsFirst("team", "a"), once.IsFirst("team", "a")), Is.EqualTo((50, true, false)));
    }

    // 401: our own token has expired, which says nothing about the Secret.
    [TestCase(500)]
    [TestCase(401)]
    public void A_secret_that_cannot_be_read_now_is_tried_the_next_time(int status)
    {
        for (var i = 0; i < 10; i++)
            _server.Respond(status, "{}");
        Assert.That(async () => await NamesAsync(Of("team", "a")), Throws.InstanceOf<KubernetesException>());
    }

    // Malformed Secrets: nested too deep, invalid Unicode, invalid JSON, an unexpected structure, empty.
    [Test]
    public async Task A_malformed_secret_is_skipped_the_next_one_is_tried_then_ours_without_effect_on_others()
    {
        string[] odd =
        [
            new string('[', 100) + new string(']', 100),
            string.Concat(Enumerable.Repeat("{\"auths\":", 100)) + "1" + new string('}', 100),
            """{"auths":{"\ud800":{"auth":"dXNlcjpzZWNyZXQ="}}}""",
            """{"auths":{"up.example.com":{"auth":"\udfff"}}}""",
            """{"auths":{"up.example.com":{"username":7,"password":[]}}}""",
            "[]",
            "null",
            "",
            "{",
            "\0\u0001",
        ];
        PodOrigin[] origins = [Of("hostile", "odd", "good"), Of("team", "mine")];
        foreach (var json in odd)
        {
            _server.Respond(200, Secret(json)).Respond(200, Secret(Valid("mallory"))).Respond(200, Secret(Valid("alice")));
            var users = new List<string>();
            await foreach (var (_, source) in Parsing().ForAsync(Image, origins, _ => false, default))
                users.Add((await source.GetAsync(Image, default))?.Username ?? "none");
            Assert.That(users, Is.EqualTo(new[] { "mallory", "alice", "own" }), json);
            Assert.That(_server.Requests, Has.Count.EqualTo(3));
            _server.Requests.Clear();
        }
    }

    [Test]
    public async Task Namespaces_take_turns_and_nobody_waits_for_all_secrets_of_another()
    {
        for (var i = 0; i < 40; i++)
            _server.Respond(200, Secret($"s{i}"));
        var names = await ListAsync(
            Credentials(true),
            Of("hostile", [.. Enumerable.Range(0, 100).Select(i => $"n{i}")]),
            Of("team", "mine")
        );
        Assert.That(names.IndexOf("own"), Is.LessThan(4), "the other namespace's list ends with ours");
        Assert.That(names, Has.Count.EqualTo(32 + 1 + 1), "and one namespace has a limit");
    }

    private static PodOrigin Of(string @namespace, params string[] secrets) => new(@namespace, "pod", "default", secrets) { Uid = "u" };

    private static string Valid(string user) => $$"""{"auths":{"up.example.com":{"username":"{{user}}","password":"p"} } }""";

    private SourceCredentials Parsing() =>
        new(
            new PullSecretReader(_client),
            new Named("own"),
            () => true,
            DockerConfigSource.FromJson,
            NullLogger<SourceCredentials>.Instance
        );

    private Task<List<string>> NamesAsync(PodOrigin origin) => ListAsync(Credentials(true), origin);

    private static async Task<List<string>> ListAsync(SourceCredentials credentials, params PodOrigin[] origins)
    {
        var names = new List<string>();
        await foreach (var (_, source) in credentials.ForAsync(Image, origins, _ => false, default))
            names.Add(((Named)source).Name);
        return names;
    }

    private SourceCredentials Credentials(bool usesPullSecrets, CapturedLog? log = null) =>
        new(
            new PullSecretReader(_client),
            new Named("own"),
            () => usesPullSecrets,
            (json, _) => new Named(json),
            log?.CreateLogger<SourceCredentials>() ?? NullLogger<SourceCredentials>.Instance
        );

    private static string Secret(string content) => PullSecretSamples.Create("s", content).ToJsonString();

    private sealed class Named(string name) : IRegistryCredentialSource
    {
        public string Name { get; } = name;

        public ValueTask<RegistryCredential?> GetAsync(ImageReference image, CancellationToken cancellationToken) =>
            new(Name == "other-host" ? null : RegistryCredential.Basic(Name, "p"));
    }
}
