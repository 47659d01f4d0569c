using System.Text.Json.Nodes;
using ProxySwapper.Configuration;
using ProxySwapper.Kubernetes;
using ProxySwapper.Kubernetes.InMemory;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Population;

/// <summary>
/// Images of ephemeral containers are copied, although their Pods have a node and cannot be labelled: after a review, which tells the
/// original, and by the reconciliation, which derives it where a rule with <c>match</c> made the image.
/// </summary>
[TestFixture]
internal sealed class EphemeralImageTests
{
    private InMemoryRegistry _upstream = null!;
    private InMemoryRegistry _downstream = null!;
    private InMemoryApiServer _server = null!;
    private KubernetesClient _client = null!;

    [SetUp]
    public async Task Start()
    {
        _upstream = await InMemoryRegistry.StartAsync();
        _downstream = await InMemoryRegistry.StartAsync();
        _server = await InMemoryApiServer.StartAsync();
        _client = ApiServers.Connect(_server);
        for (var index = 0; index < 3; index++)
            TestImage.Create(95 + index, 1, 100).AddTo(_upstream, $"app{index}", "1");
    }

    [TearDown]
    public async Task Stop()
    {
        _client.Dispose();
        await _server.DisposeAsync();
        await _upstream.DisposeAsync();
        await _downstream.DisposeAsync();
    }

    [TestCase(PopulatePolicy.Gate)]
    [TestCase(PopulatePolicy.Delayed)]
    public async Task What_a_review_adds_is_copied_once_the_API_server_shows_it(PopulatePolicy policy)
    {
        await using var scene = await StartAsync(policy, Regex);
        await CreateAsync("forged", "elsewhere.example/tool:1");
        await CreateAsync("web", $"{_downstream.Address}/mirror/app1:1");
        // Nobody has this Pod, and the other runs something else.
        await scene.ReviewAsync(ReviewOf("absent", 0));
        await scene.ReviewAsync(ReviewOf("forged", 0));
        var decision = await scene.ReviewAsync(ReviewOf("web", 1));
        Assert.That(decision.Images.Single().Decision.Target!.ToString(), Is.EqualTo($"{_downstream.Address}/mirror/app1:1"));
        await CopiedAsync(1);
        Assert.That(_downstream.Repository("mirror/app0").Find("1"), Is.Null);
    }

    [Test]
    public async Task The_reconciliation_finds_those_of_running_pods()
    {
        await CreateAsync("web", $"{_downstream.Address}/mirror/app2:1");
        await using var scene = await StartAsync(PopulatePolicy.Delayed, Match);
        await CopiedAsync(2);
    }

    private RuleOptions Match => new() { Match = _upstream.Address, Target = $"{_downstream.Address}/mirror" };

    private RuleOptions Regex => new() { MatchRegex = $"{_upstream.Address}/(.*)", Replace = $"{_downstream.Address}/mirror/$1" };

    private Task<PopulationScene> StartAsync(PopulatePolicy policy, RuleOptions rule) =>
        PopulationScene.StartAsync(
            new ProxySwapperOptions
            {
                Rules = [rule],
                ShutdownGracePeriod = TimeSpan.FromSeconds(1),
                Populate = new() { Policy = policy },
            },
            cluster: _server
        );

    private Task CopiedAsync(int index) =>
        TestWait.UntilAsync(() => _downstream.Repository($"mirror/app{index}").Find("1") is not null, $"the copy of app{index}");

    /// <summary>A running Pod that was rewritten, with an ephemeral container of this image.</summary>
    private Task<JsonObject> CreateAsync(string name, string image) =>
        new ResourceClient(_client, ResourceType.Pods).CreateAsync(
            "team",
            JsonNode
                .Parse(
                    $$$"""
                    {"apiVersion":"v1","kind":"Pod",
                     "metadata":{"namespace":"team","name":"{{{name}}}","labels":{"k8s-proxy-image-swapper":"patched-image"}},
                     "spec":{"nodeName":"node-1","containers":[{"name":"c","image":"other.example/c:1"}],
                       "ephemeralContainers":[{"name":"debugger","image":"{{{image}}}"}]},
                     "status":{"phase":"Running"}}
                    """
                )!
                .AsObject(),
            default
        );

    private string ReviewOf(string name, int index)
    {
        var old = JsonNode.Parse($$$"""{"metadata":{"namespace":"team","name":"{{{name}}}"},"spec":{"containers":[]}}""")!;
        var pod = old.DeepClone();
        pod["spec"]!["ephemeralContainers"] = new JsonArray(
            new JsonObject { ["name"] = "debugger", ["image"] = $"{_upstream.Address}/app{index}:1" }
        );
        var review = JsonNode.Parse(
            """
            {"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u","operation":"UPDATE",
             "kind":{"group":"","version":"v1","kind":"Pod"},"namespace":"team","subResource":"ephemeralcontainers"}}
            """
        )!;
        (review["request"]!["oldObject"], review["request"]!["object"]) = (old, pod);
        return review.ToJsonString();
    }
}
