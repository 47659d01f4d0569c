using System.Text.Json.Nodes;
using ProxySwapper.Kubernetes;

namespace ProxySwapper.Tests.Kubernetes;

/// <summary>The calls of the API, as sent over the wire.</summary>
[TestFixture]
internal sealed class ResourceClientTests : IDisposable
{
    private const string Claim = """
        {
          "metadata": { "name": "c", "namespace": "n", "uid": "u", "resourceVersion": "7", "labels": { "a": "b" } },
          "spec": { "holderIdentity": "me", "leaseDurationSeconds": 30, "renewTime": "2026-01-01T00:00:00.000000Z", "leaseTransitions": 2 }
        }
        """;

    private ScriptedApiServer _server = null!;
    private KubernetesClient _client = null!;

    [SetUp]
    public async Task Start()
    {
        _server = await ScriptedApiServer.StartAsync();
        _client = _server.Client();
    }

    [TearDown]
    public async Task Stop()
    {
        Dispose();
        await _server.DisposeAsync();
    }

    public void Dispose() => _client.Dispose();

    [Test]
    public async Task A_pod_is_patched_under_our_name_and_read_by_an_empty_patch()
    {
        _server
            .Respond(200, """{"a":1}""")
            .Respond(200, """{"metadata":{"uid":"u"},"a":2}""")
            .Respond(404, "{}")
            .Respond(200, """{"metadata":[]}""");
        var pods = new PodClient(_client);
        var patch = new JsonArray(new JsonObject { ["op"] = "remove", ["path"] = "/x" });
        Assert.That((int?)(await pods.PatchAsync("n", "web", patch, "proxyswapper gate", default))["a"], Is.EqualTo(1));
        Assert.That((int?)(await pods.ReadByPatchAsync("n", "web", default))!["a"], Is.EqualTo(2));
        Assert.That(await pods.ReadByPatchAsync("n", "gone", default), Is.Null);
        Assert.That(
            async () => await pods.ReadByPatchAsync("n", "web", default),
            Throws.InstanceOf<KubernetesException>().With.Message.EndsWith("the response is not a Pod")
        );
        Assert.That(
            _server.Requests,
            Is.EqualTo([
                "PATCH /api/v1/namespaces/n/pods/web?fieldManager=proxyswapper%20gate",
                "PATCH /api/v1/namespaces/n/pods/web",
                "PATCH /api/v1/namespaces/n/pods/gone",
                "PATCH /api/v1/namespaces/n/pods/web",
            ])
        );
        Assert.That(_server.Bodies, Is.EqualTo(["""[{"op":"remove","path":"/x"}]""", "[]", "[]", "[]"]));
    }

    [Test]
    public async Task A_lease_is_written_with_six_digits_and_read_whole()
    {
        _server.Respond(201, Claim).Respond(200, Claim);
        var leases = new LeaseClient(_client);
        var instant = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        var made = new Lease("n", "c")
        {
            HolderIdentity = "me",
            Duration = TimeSpan.FromSeconds(30),
            AcquireTime = instant,
            RenewTime = instant,
        };
        var lease = (await leases.TryCreateAsync(made, default))!;
        const string written = """
            {"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"c","namespace":"n"},
            "spec":{"leaseTransitions":0,"holderIdentity":"me","leaseDurationSeconds":30,
            "acquireTime":"2026-01-01T00:00:00.000000Z","renewTime":"2026-01-01T00:00:00.000000Z"}}
            """;
        Assert.That(_server.Bodies.Single(), Is.EqualTo(written.ReplaceLineEndings("")));
        Assert.That((lease.Uid, lease.ResourceVersion, lease.HolderIdentity, lease.Transitions), Is.EqualTo(("u", "7", "me", 2)));
        Assert.That(
            (lease.Duration, lease.RenewTime, lease.AcquireTime, lease.Labels["a"]),
            Is.EqualTo((TimeSpan.FromSeconds(30), instant, (DateTimeOffset?)null, "b"))
        );
        await leases.TryUpdateAsync(lease with { Transitions = 3 }, default);
        Assert.That(
            _server.Bodies.Last(),
            Does.Contain("""{"name":"c","namespace":"n","uid":"u","resourceVersion":"7","labels":{"a":"b"}}""")
        );
    }

    [Test]
    public async Task A_lease_that_somebody_else_has_is_null_and_never_replaced_without_its_uid()
    {
        _server
            .Respond(409, """{"kind":"Status","reason":"AlreadyExists"}""")
            .Respond(409, """{"kind":"Status","reason":"Conflict"}""")
            .Respond(404, "{}")
            .Respond(409, """{"kind":"Status","reason":"Conflict"}""")
            .Respond(404, "{}");
        var leases = new LeaseClient(_client);
        var lease = new Lease("n", "c") { Uid = "u", ResourceVersion = "7" };
        Assert.That(await leases.TryCreateAsync(lease, default), Is.Null);
        Assert.That(
            (await leases.TryUpdateAsync(lease, default), await leases.TryUpdateAsync(lease, default)),
            Is.EqualTo(((Lease?)null, (Lease?)null))
        );
        Assert.That((await leases.TryDeleteAsync(lease, default), await leases.TryDeleteAsync(lease, default)), Is.EqualTo((false, false)));
        Assert.That(_server.Bodies.Last(), Does.EndWith("preconditions\":{\"uid\":\"u\",\"resourceVersion\":\"7\"}}"));
        Assert.That(() => leases.TryUpdateAsync(lease with { Uid = "" }, default), Throws.ArgumentException);
        Assert.That(() => leases.TryUpdateAsync(lease with { ResourceVersion = "" }, default), Throws.ArgumentException);
    }

    [TestCase("""{"major":"1","minor":"27+","gitVersion":"v1.27.3-gke.100"}""", true)]
    [TestCase("""{"major":"1","minor":"36","gitVersion":"v1.36.2"}""", true)]
    [TestCase("""{"major":"2","minor":"0","gitVersion":"v2.0.0"}""", true)]
    [TestCase("""{"major":"1","minor":"20","gitVersion":"v1.20.2"}""", false)]
    public async Task A_version_is_compared_by_its_numbers(string body, bool isNew)
    {
        _server.Respond(200, body);
        Assert.That((await KubernetesVersion.GetAsync(_client, default)).IsAtLeast(1, 27), Is.EqualTo(isNew));
    }

    [TestCase("{}")]
    [TestCase("""{"major":"1","minor":"x"}""")]
    public void A_response_without_a_version_is_an_error(string body)
    {
        _server.Respond(200, body);
        Assert.That(
            () => KubernetesVersion.GetAsync(_client, default),
            Throws.TypeOf<KubernetesException>().With.Message.EqualTo("GET /version: the response has no version")
        );
    }

    [TestCase("""{"status":{"allowed":true}}""", true)]
    [TestCase("""{"status":{"allowed":false,"reason":"no"}}""", false)]
    [TestCase("""{"status":{}}""", false)]
    public async Task Permissions_are_requested_from_the_server(string body, bool isAllowed)
    {
        _server.Respond(201, body);
        var reviews = new AccessReviewClient(_client);
        Assert.That(await reviews.IsAllowedAsync(new ResourceAccess("update", ResourceType.Leases, "n"), default), Is.EqualTo(isAllowed));
        Assert.That(
            _server.Bodies.Single(),
            Does.EndWith("""{"resourceAttributes":{"verb":"update","group":"coordination.k8s.io","resource":"leases","namespace":"n"}}}""")
        );
    }
}
