using System.Collections.Concurrent;
using ProxySwapper.Kubernetes;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Kubernetes;

/// <summary>A watch of Pods on a scripted API server, and its events.</summary>
internal abstract class WatchFixture : IDisposable
{
    protected const string Selection = "labelSelector=a%3Db&fieldSelector=spec.nodeName%3D";
    protected const string ListRequest = $"GET /api/v1/pods?limit=500&{Selection}";

    protected ConcurrentQueue<string> Events { get; } = new();
    protected CapturedLog Log { get; private set; } = null!;
    protected ManualTimeProvider Time { get; private set; } = null!;
    protected ScriptedApiServer Server { get; private set; } = null!;
    private KubernetesClient _client = null!;
    protected CancellationTokenSource Cancellation { get; private set; } = null!;
    protected ResourceWatcher<string> Watcher { get; private set; } = null!;
    protected Task Reading { get; private set; } = Task.CompletedTask;

    [SetUp]
    public async Task Start()
    {
        Events.Clear();
        Log = new CapturedLog();
        Time = new ManualTimeProvider();
        Server = await ScriptedApiServer.StartAsync();
        _client = Server.Client(Time);
        Cancellation = new CancellationTokenSource();
    }

    [TearDown]
    public async Task Stop()
    {
        await Cancellation.CancelAsync();
        await Reading;
        Dispose();
        await Server.DisposeAsync();
    }

    public void Dispose()
    {
        GC.SuppressFinalize(this);
        Cancellation.Dispose();
        _client.Dispose();
        Log.Dispose();
    }

    protected static string WatchRequest(string version, int seconds) =>
        $"GET /api/v1/pods?watch=true&allowWatchBookmarks=true&resourceVersion={version}&timeoutSeconds={seconds}&{Selection}";

    protected static string List(string version, params string[] names) =>
        $"{{\"metadata\":{{\"resourceVersion\":\"{version}\"}},\"items\":[{string.Join(',', names.Select(Pod))}]}}";

    private static string Pod(string name) => $"{{\"metadata\":{{\"name\":\"{name}\",\"resourceVersion\":\"1\"}}}}";

    protected void Watch(WatchOptions? options = null, Task? until = null)
    {
        var query = new ResourceQuery(ResourceType.Pods) { LabelSelector = "a=b", FieldSelector = "spec.nodeName=" };
        Watcher = new ResourceWatcher<string>(
            _client,
            query,
            pod => pod.GetProperty("metadata").GetProperty("name").GetString()!,
            options ?? new WatchOptions(),
            Time,
            Log
        );
        Reading = ReadAsync(until ?? Task.CompletedTask);
    }

    private async Task ReadAsync(Task until)
    {
        try
        {
            await foreach (var @event in Watcher.WatchAsync(Cancellation.Token))
            {
                await until;
                Events.Enqueue(@event.Item is { } name ? $"{@event.Kind} {name}" : $"{@event.Kind}");
            }
        }
        catch (OperationCanceledException) when (Cancellation.IsCancellationRequested) { }
    }

    protected async Task EventsAsync(params string[] expected)
    {
        await TestWait.UntilAsync(() => Events.Count >= expected.Length, $"events behind {string.Join(", ", Events)}; {Log.Text}");
        Assert.That(Events, Is.EqualTo(expected));
    }

    protected async Task RequestsAsync(params string[] expected)
    {
        await TestWait.UntilAsync(() => Server.Requests.Count >= expected.Length, $"requests behind {string.Join(", ", Server.Requests)}");
        Assert.That(Server.Requests, Is.EqualTo(expected));
    }

    /// <summary>Skips the pause before the next attempt. The timeouts of calls are longer.</summary>
    protected async Task PauseAsync()
    {
        await Time.WaitForTimerWithinAsync(TimeSpan.FromSeconds(2.5));
        Time.Advance(TimeSpan.FromSeconds(2.5));
    }
}
