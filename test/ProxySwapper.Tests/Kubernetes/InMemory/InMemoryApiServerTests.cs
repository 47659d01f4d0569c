using System.Collections.Concurrent;
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using ProxySwapper.Kubernetes;
using ProxySwapper.Kubernetes.InMemory;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Kubernetes.InMemory;

/// <summary>The in-memory API server behaves like a real one.</summary>
[TestFixture]
internal sealed class InMemoryApiServerTests
{
    private const string Gate = "proxyswapper.io/image";

    private InMemoryApiServer _server = null!;
    private KubernetesClient _client = null!;
    private PodClient _pods = null!;

    [SetUp]
    public async Task Start()
    {
        _server = await InMemoryApiServer.StartAsync();
        _client = ApiServers.Connect(_server);
        _pods = new PodClient(_client);
    }

    [TearDown]
    public async Task Stop()
    {
        _client.Dispose();
        await _server.DisposeAsync();
    }

    [Test]
    public async Task A_gated_pod_waits_and_its_images_may_change_until_it_is_released()
    {
        var pod = await CreateAsync("app", [Gate]);
        Assert.That((string?)pod["status"]!["conditions"]![0]!["reason"], Is.EqualTo("SchedulingGated"));
        Assert.That(await StatusOfAsync(() => BindAsync("app")), Is.EqualTo(HttpStatusCode.Conflict));
        var patch = new JsonArray(
            Operation("test", "/spec/schedulingGates/0/name", Gate),
            Operation("remove", "/spec/schedulingGates/0"),
            Operation("replace", "/spec/containers/0/image", "b:1")
        );
        await _pods.PatchAsync("team", "app", patch, "test", default);
        Assert.That(
            await StatusOfAsync(() => _pods.PatchAsync("team", "app", (JsonArray)patch.DeepClone(), "test", default)),
            Is.EqualTo(HttpStatusCode.UnprocessableEntity),
            "the gate is gone"
        );
        await BindAsync("app");
        Assert.That((string?)(await _pods.ReadByPatchAsync("team", "app", default))!["spec"]!["nodeName"], Is.EqualTo("node1"));
    }

    [Test]
    public async Task A_gate_and_a_node_are_rejected_together_and_no_gate_is_added_later()
    {
        var both = PodOf("both", [Gate]);
        both["spec"]!["nodeName"] = "node1";
        Assert.That(await StatusOfAsync(() => PostAsync(both)), Is.EqualTo(HttpStatusCode.UnprocessableEntity));
        await CreateAsync("plain", []);
        var late = new JsonArray(
            new JsonObject
            {
                ["op"] = "add",
                ["path"] = "/spec/schedulingGates",
                ["value"] = new JsonArray(new JsonObject { ["name"] = Gate }),
            }
        );
        Assert.That(
            await StatusOfAsync(() => _pods.PatchAsync("team", "plain", late, "test", default)),
            Is.EqualTo(HttpStatusCode.UnprocessableEntity)
        );
        Assert.That(
            await StatusOfAsync(() =>
                _pods.PatchAsync("team", "plain", [Operation("add", "/spec/priorityClassName", "high")], "test", default)
            ),
            Is.EqualTo(HttpStatusCode.UnprocessableEntity)
        );
    }

    [Test]
    public async Task A_pod_that_is_gone_or_forbidden_says_so()
    {
        Assert.That(await _pods.ReadByPatchAsync("team", "none", default), Is.Null);
        _server.Denied["patch pods"] = true;
        Assert.That(await StatusOfAsync(() => _pods.PatchAsync("team", "none", [], "test", default)), Is.EqualTo(HttpStatusCode.Forbidden));
        Assert.That(
            await new AccessReviewClient(_client).IsAllowedAsync(new ResourceAccess("patch", ResourceType.Pods), default),
            Is.False
        );
    }

    [Test]
    public async Task A_lease_is_created_once_and_never_revived()
    {
        var leases = new LeaseClient(_client);
        var lease = new Lease("ns", "claim") { HolderIdentity = "a", Duration = TimeSpan.FromSeconds(30) };
        var first = await leases.TryCreateAsync(lease, default);
        Assert.That(await leases.TryCreateAsync(lease, default), Is.Null);
        var second = await leases.TryUpdateAsync(first! with { HolderIdentity = "b" }, default);
        Assert.That(await leases.TryUpdateAsync(first!, default), Is.Null, "an old version");
        Assert.That(await leases.TryDeleteAsync(first!, default), Is.False);
        Assert.That(await leases.TryDeleteAsync(second!, default), Is.True);
        Assert.That(await leases.TryUpdateAsync(second!, default), Is.Null, "a late renewal");
    }

    [Test]
    public async Task A_watch_sees_what_comes_into_the_selection_and_leaves_it_also_after_a_restart()
    {
        var seen = new ConcurrentQueue<string>();
        using var stop = new CancellationTokenSource();
        var query = new ResourceQuery(ResourceType.Pods) { LabelSelector = "app=x", FieldSelector = "spec.nodeName=" };
        var watcher = new ResourceWatcher<string>(
            _client,
            query,
            pod => pod.GetProperty("metadata").GetProperty("name").GetString()!,
            new WatchOptions { ShortestPause = TimeSpan.FromMilliseconds(10) },
            TimeProvider.System,
            NullLogger.Instance
        );
        var reading = Task.Run(async () =>
        {
            await foreach (var change in watcher.WatchAsync(stop.Token))
                seen.Enqueue($"{change.Kind} {change.Item}");
        });
        await CreateAsync("other", []);
        await TestWait.UntilAsync(() => watcher.Status.IsConnected);
        await CreateAsync("one", [], ("app", "x"));
        await TestWait.UntilAsync(() => seen.Contains("Added one"));
        await BindAsync("one");
        await TestWait.UntilAsync(() => seen.Contains("Deleted one"));
        _server.Restart();
        await CreateAsync("two", [], ("app", "x"));
        await TestWait.UntilAsync(() => seen.Contains("Added two"));
        Assert.That(seen.Count(text => text.StartsWith("ListCompleted", StringComparison.Ordinal)), Is.EqualTo(2));
        Assert.That(seen, Has.None.EndsWith("other"));
        await stop.CancelAsync();
        Assert.That(async () => await reading, Throws.InstanceOf<OperationCanceledException>());
    }

    private Task<JsonObject> CreateAsync(string name, string[] gates, params (string Key, string Value)[] labels) =>
        PostAsync(PodOf(name, gates, labels));

    private Task<JsonObject> PostAsync(JsonObject pod) => new ResourceClient(_client, ResourceType.Pods).CreateAsync("team", pod, default);

    private Task<JsonObject> BindAsync(string name) =>
        _client.PostAsync(
            $"/api/v1/namespaces/team/pods/{name}/binding",
            new JsonObject { ["target"] = new JsonObject { ["name"] = "node1" } },
            default
        );

    private static JsonObject PodOf(string name, string[] gates, params (string Key, string Value)[] labels)
    {
        var pod = new JsonObject
        {
            ["metadata"] = new JsonObject
            {
                ["name"] = name,
                ["labels"] = new JsonObject(labels.Select(label => KeyValuePair.Create(label.Key, (JsonNode?)label.Value))),
            },
            ["spec"] = new JsonObject { ["containers"] = new JsonArray(new JsonObject { ["name"] = "main", ["image"] = "a:1" }) },
        };
        if (gates.Length > 0)
            pod["spec"]!["schedulingGates"] = new JsonArray([.. gates.Select(gate => new JsonObject { ["name"] = gate })]);
        return pod;
    }

    private static JsonObject Operation(string op, string path, string? value = null)
    {
        var operation = new JsonObject { ["op"] = op, ["path"] = path };
        if (value is not null)
            operation["value"] = value;
        return operation;
    }

    private static async Task<HttpStatusCode?> StatusOfAsync<T>(Func<Task<T>> call)
    {
        try
        {
            await call();
            return HttpStatusCode.OK;
        }
        catch (KubernetesException problem)
        {
            return problem.Status;
        }
    }
}
