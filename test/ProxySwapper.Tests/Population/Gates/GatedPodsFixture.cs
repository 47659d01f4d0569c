using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using ProxySwapper.Configuration;
using ProxySwapper.Kubernetes;
using ProxySwapper.Kubernetes.InMemory;
using ProxySwapper.Population.Gates;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Population.Gates;

/// <summary>Gated Pods on an in-memory API server, which rejects what the test says, with a clock that the test moves.</summary>
internal abstract class GatedPodsFixture
{
    protected const string Original = "up.example.com/app:1";
    protected const string Target = "down.example.com/app:1";
    protected static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    protected static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    protected ManualTimeProvider Time { get; private set; } = null!;

    /// <summary>The status that a patch with this body is rejected with, or null.</summary>
    protected Func<string, int?> Rejection { get; set; } = _ => null;

    /// <summary>Awaited before the response to a patch of a Pod of the namespace <c>hostile</c>.</summary>
    protected Func<Task> Delay { get; set; } = () => Task.CompletedTask;
    private int _patches;
    private InMemoryApiServer _server = null!;
    protected KubernetesClient Client { get; private set; } = null!;

    protected int Patches => _patches;

    [SetUp]
    public async Task Start()
    {
        Time = new ManualTimeProvider();
        (Rejection, Delay, _patches) = (_ => null, () => Task.CompletedTask, 0);
        _server = await InMemoryApiServer.StartAsync(new InMemoryApiServerOptions { Time = Time, Interceptor = RespondAsync });
        Client = ApiServers.Connect(_server, clock: Time);
    }

    [TearDown]
    public async Task Stop()
    {
        Client.Dispose();
        await _server.DisposeAsync();
    }

    protected Task<GatedPodsReplica> StartAsync(GateOptions? options = null, string name = "replica-1") =>
        GatedPodsReplica.StartAsync(Client, Time, options, name);

    /// <summary>Advances the clock once the next look at the Pods waits for it, which is never far away.</summary>
    protected async Task AdvanceAsync(TimeSpan by)
    {
        await Time.WaitForTimerWithinAsync(GatedPods.ReloadInterval);
        Time.Advance(by);
    }

    protected static bool IsPausing(GatedPodsReplica replica, int failures) =>
        replica.Pods.Snapshot() is [{ IsInFlight: false } state] && state.Failures == failures;

    protected Task LiftedAsync() => TestWait.UntilAsync(() => GatesOf("app").Count == 0, "the release");

    protected Task<JsonObject> CreateAsync(string name = "app", params (string Original, string Target)[] images) =>
        CreateInAsync("team", name, images);

    protected Task<JsonObject> CreateInAsync(string @namespace, string name, params (string Original, string Target)[] images) =>
        new ResourceClient(Client, ResourceType.Pods).CreateAsync(
            @namespace,
            GatedPodSamples.Create(@namespace, name, images.Length > 0 ? images : [(Original, Target)]),
            default
        );

    private async Task RespondAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Request.Method != HttpMethods.Patch)
        {
            await next(context);
            return;
        }
        context.Request.EnableBuffering();
        using var reader = new StreamReader(context.Request.Body, leaveOpen: true);
        var body = await reader.ReadToEndAsync();
        context.Request.Body.Position = 0;
        Interlocked.Increment(ref _patches);
        if (context.Request.Path.Value!.Contains("/namespaces/hostile/", StringComparison.Ordinal))
            await Delay().WaitAsync(context.RequestAborted);
        if (Rejection(body) is not { } status)
        {
            await next(context);
            return;
        }
        context.Response.StatusCode = status;
        await context.Response.WriteAsync("""{"kind":"Status","metadata":[],"message":"rejected by the test","reason":"Other"}""");
    }

    protected JsonObject Pod(string name) => _server.FindPod("team", name)!;

    protected IReadOnlyList<string> GatesOf(string name) => GatedPodSamples.GatesOf(Pod(name));

    protected string ImageOf(string name) => GatedPodSamples.ImagesOf(Pod(name))[0];

    protected List<JsonObject> EventsOf(string reason) =>
        [
            .. _server
                .Store.List(new Selection(new ApiPath("events.k8s.io/v1", "events", null, null, ""), "", ""))
                .Objects.Where(item => (string?)item["reason"] == reason),
        ];
}
