using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using ProxySwapper.Kubernetes;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.IntegrationTests.Kubernetes;

/// <summary>A watch on a real API server that is killed and restarted.</summary>
[TestFixture, NeedsServer]
internal sealed class PodWatchTests : IDisposable
{
    private const string Label = "proxyswapper.io/gated";

    private readonly ConcurrentQueue<string> _events = new();
    private readonly CapturedLog _log = new();

    public void Dispose() => _log.Dispose();

    [Test]
    public async Task Pods_that_wait_for_a_node_are_seen_also_after_the_server_was_killed()
    {
        await using var server = await KubeApiServer.StartAsync();
        await MakePodAsync(server, "first", "true");
        await MakePodAsync(server, "other", "false");
        var query = new ResourceQuery(ResourceType.Pods) { LabelSelector = $"{Label}=true", FieldSelector = "spec.nodeName=" };
        var watcher = new ResourceWatcher<string>(
            server.Client,
            query,
            pod => pod.GetProperty("metadata").GetProperty("name").GetString()!,
            new WatchOptions(),
            TimeProvider.System,
            _log
        );
        using var stop = new CancellationTokenSource();
        var reading = ReadAsync(watcher, stop.Token);
        await UntilAsync("ListCompleted");
        Assert.That(_events, Is.EqualTo(["ListStarted", "Added first", "ListCompleted"]));
        await TestWait.UntilAsync(() => watcher.Status.IsConnected);

        await MakePodAsync(server, "second", "true");
        await UntilAsync("Added second");
        await PatchAsync(
            server,
            "second",
            new JsonObject
            {
                ["op"] = "replace",
                ["path"] = "/spec/containers/0/image",
                ["value"] = "b",
            }
        );
        await UntilAsync("Modified second");
        await BindAsync(server, "first");
        await UntilAsync("Deleted first");
        await PatchAsync(
            server,
            "second",
            new JsonObject { ["op"] = "remove", ["path"] = $"/metadata/labels/{Label.Replace("/", "~1", StringComparison.Ordinal)}" }
        );
        await UntilAsync("Deleted second");

        await server.KillAsync();
        await TestWait.UntilAsync(() => !watcher.Status.IsConnected);
        Assert.That(watcher.Status.Error, Does.Contain("watch pods"));
        await server.StartAgainAsync();
        await MakePodAsync(server, "third", "true");
        await UntilAsync("Added third");
        await TestWait.UntilAsync(() => watcher.Status.IsConnected);
        Assert.That(_log.Text, Does.Contain("The watch of pods was interrupted"));

        await stop.CancelAsync();
        await reading;
    }

    private async Task ReadAsync(ResourceWatcher<string> watcher, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var @event in watcher.WatchAsync(cancellationToken))
                _events.Enqueue(@event.Item is { } name ? $"{@event.Kind} {name}" : $"{@event.Kind}");
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested) { }
    }

    private Task UntilAsync(string @event) =>
        TestWait.UntilAsync(() => _events.Contains(@event), $"{@event} behind {string.Join(", ", _events)}; {_log.Text}");

    private static Task<JsonObject> MakePodAsync(KubeApiServer server, string name, string gated) =>
        server.Client.PostAsync(
            ResourceType.Pods.CollectionPath("default"),
            new JsonObject
            {
                ["metadata"] = new JsonObject
                {
                    ["name"] = name,
                    ["labels"] = new JsonObject { [Label] = gated },
                },
                ["spec"] = new JsonObject { ["containers"] = new JsonArray(new JsonObject { ["name"] = "c", ["image"] = "a" }) },
            },
            default
        );

    private static Task<JsonObject> PatchAsync(KubeApiServer server, string name, JsonObject operation) =>
        new PodClient(server.Client).PatchAsync("default", name, new JsonArray(operation), "test", default);

    private static Task<JsonObject> BindAsync(KubeApiServer server, string name) =>
        server.Client.PostAsync(
            $"{ResourceType.Pods.ObjectPath("default", name)}/binding",
            new JsonObject
            {
                ["apiVersion"] = "v1",
                ["kind"] = "Binding",
                ["metadata"] = new JsonObject { ["name"] = name },
                ["target"] = new JsonObject { ["kind"] = "Node", ["name"] = "node" },
            },
            default
        );
}
