using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using ProxySwapper.Kubernetes;
using ProxySwapper.Population.Transfer;
using ProxySwapper.Population.Work;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Credentials;
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
        _server.Answer(200, Secret("one")).Answer(200, Secret("other-host")).Answer(200, Secret("two"));
        Assert.That(await NamesAsync(new("team", "pod", "default", ["a", "b", "c"]) { Uid = "u" }), Is.EqualTo(["one", "two", "own"]));
        Assert.That(_server.Requests, Is.EqualTo(new[] { "a", "b", "c" }.Select(name => $"GET /api/v1/namespaces/team/secrets/{name}")));
    }

    [Test]
    public async Task A_pod_without_secrets_has_those_of_its_account()
    {
        _server.Answer(200, """{"imagePullSecrets":[{"name":"shared"}]}""").Answer(200, Secret("one"));
        Assert.That(await NamesAsync(new("team", "pod", "builder", []) { Uid = "u" }), Is.EqualTo(["one", "own"]));
        Assert.That(
            _server.Requests,
            Is.EqualTo(["GET /api/v1/namespaces/team/serviceaccounts/builder", "GET /api/v1/namespaces/team/secrets/shared"])
        );
    }

    [Test]
    public async Task A_secret_is_read_when_its_turn_comes_and_not_before()
    {
        _server.Answer(200, Secret("one"));
        await foreach (var source in Credentials(true).ForAsync(Image, [new("team", "pod", "default", ["a", "b"]) { Uid = "u" }], default))
            break;
        Assert.That(_server.Requests, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Nothing_is_read_unless_it_is_switched_on()
    {
        var names = new List<string>();
        await foreach (var source in Credentials(false).ForAsync(Image, [new("team", "pod", "default", ["a"]) { Uid = "u" }], default))
            names.Add(((Named)source).Name);
        Assert.That((names.Single(), _server.Requests.Count), Is.EqualTo(("own", 0)));
    }

    [Test]
    public async Task For_a_pod_that_only_a_review_has_shown_nothing_is_read()
    {
        Assert.That(await NamesAsync(new("team", "pod", "builder", ["a"])), Is.EqualTo(["own"]));
        Assert.That(_server.Requests, Is.Empty);
    }

    private async Task<List<string>> NamesAsync(PodOrigin origin)
    {
        var names = new List<string>();
        await foreach (var source in Credentials(true).ForAsync(Image, [origin], default))
            names.Add(((Named)source).Name);
        return names;
    }

    private SourceCredentials Credentials(bool usesPullSecrets) =>
        new(
            new PullSecretReader(_client),
            new Named("own"),
            () => usesPullSecrets,
            (json, _) => new Named(json),
            NullLogger<SourceCredentials>.Instance
        );

    private static string Secret(string content) =>
        $$"""{"type":"kubernetes.io/dockerconfigjson","data":"""
        + $$"""{".dockerconfigjson":"{{Convert.ToBase64String(Encoding.UTF8.GetBytes(content))}}"} }""";

    private sealed class Named(string name) : IRegistryCredentialSource
    {
        public string Name { get; } = name;

        public ValueTask<RegistryCredential?> GetAsync(ImageReference image, CancellationToken cancellationToken) =>
            new(Name == "other-host" ? null : RegistryCredential.Basic("u", "p"));
    }
}
