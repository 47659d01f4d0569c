using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using ProxySwapper.Configuration;
using ProxySwapper.Kubernetes;
using ProxySwapper.Population.Cluster;
using ProxySwapper.Population.Downstream;
using ProxySwapper.Population.Gates;
using ProxySwapper.Population.Queue;
using ProxySwapper.Registries;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Timing;
using ProxySwapper.Rules;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Population.Gates;

/// <summary>The gated Pods of one replica, with a clock that the test moves; the test decides about images.</summary>
internal sealed class GatedPodsReplica : IAsyncDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly ConcurrentDictionary<string, TaskCompletionSource<string?>> _images = new(StringComparer.Ordinal);
    private readonly MeterListener _listener;
    private readonly RegistryServices _registries;
    private readonly FailureEvents _events;

    private long _restored;

    private GatedPodsReplica(KubernetesClient client, ManualTimeProvider time, GateOptions options, string name)
    {
        var kubernetes = new KubernetesAccess(client, name);
        Rules = MonitorOf(options, time);
        _registries = RegistryServices.Create([], EnvironmentVariables.None, time, NullLoggerFactory.Instance);
        var queue = new PopulationQueue(Rules, time, new Backoff(() => 0.5));
        var meters = _services.GetRequiredService<IMeterFactory>();
        _listener = Listen(meters);
        _events = new FailureEvents(kubernetes, Rules, time, NullLogger<FailureEvents>.Instance);
        Known = queue.Known;
        Pods = new GatedPods(
            kubernetes,
            new GateReleaser(NullLogger<GateReleaser>.Instance),
            Rules,
            new DownstreamLookup(queue, _registries, Rules, time, NullLogger<DownstreamLookup>.Instance),
            new GateReport(new GateMetrics(meters), _events, new Logger<GateReport>(Log)),
            time,
            new Logger<GatedPods>(Log)
        );
    }

    public GatedPods Pods { get; }

    public ConfigurationMonitor Rules { get; }

    public ImagePresenceCache Known { get; }

    public CapturedLog Log { get; } = new();

    /// <summary>The results of released Pods, as counted by the metric.</summary>
    public ConcurrentQueue<(string Result, double Seconds)> Released { get; } = new();

    /// <summary>Waits for the first of them: the response to a patch arrives after its effect can be seen.</summary>
    public Task ReleasedAsync() => TestWait.UntilAsync(() => !Released.IsEmpty, "the response to the release");

    /// <summary>The restored images, as counted by the metric.</summary>
    public long Restored => Interlocked.Read(ref _restored);

    public static async Task<GatedPodsReplica> StartAsync(
        KubernetesClient client,
        ManualTimeProvider time,
        GateOptions? options = null,
        string name = "replica-1"
    )
    {
        var replica = new GatedPodsReplica(client, time, options ?? new GateOptions(), name);
        await replica._events.StartAsync(default);
        await replica.Pods.StartAsync(default);
        return replica;
    }

    /// <summary>Loads another configuration.</summary>
    public void Apply(GateOptions options, TimeProvider time) =>
        Rules.Apply(RuleSet.Compile(new ProxySwapperOptions { Populate = new() { Gate = options } }), time.GetUtcNow());

    /// <summary>Reports a Pod, as the watch or its list does.</summary>
    public void See(JsonObject pod, bool wasListed = false)
    {
        using var document = JsonDocument.Parse(pod.ToJsonString());
        Pods.Track(GatedPod.Read(document.RootElement)!, wasListed, (image, token) => Image(image.Image).Task.WaitAsync(token));
    }

    /// <summary>Reports an image as downstream.</summary>
    public void Arrive(string image) => Image(image).TrySetResult(null);

    /// <summary>Reports an image as given up.</summary>
    public void GiveUp(string image, string error) => Image(image).TrySetResult(error);

    /// <summary>Makes waiting for an image throw.</summary>
    public void Break(string image) => Image(image).TrySetException(new InvalidOperationException("a fault of the test"));

    public async ValueTask DisposeAsync()
    {
        await Pods.StopAsync(default);
        await _events.StopAsync(default);
        Pods.Dispose();
        _events.Dispose();
        _registries.Dispose();
        _listener.Dispose();
        await _services.DisposeAsync();
    }

    private TaskCompletionSource<string?> Image(string image) =>
        _images.GetOrAdd(image, _ => new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously));

    private static ConfigurationMonitor MonitorOf(GateOptions options, TimeProvider time) =>
        new(RuleSet.Compile(new ProxySwapperOptions { Populate = new() { Gate = options } }), time.GetUtcNow());

    private MeterListener Listen(IMeterFactory meters)
    {
        var listener = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Meter.Scope == meters)
                    self.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<double>(
            (instrument, value, tags, _) =>
            {
                if (instrument.Name == "proxyswapper_gate_duration_seconds")
                    Released.Enqueue(((string)tags[0].Value!, value));
            }
        );
        listener.SetMeasurementEventCallback<long>((_, value, _, _) => Interlocked.Add(ref _restored, value));
        listener.Start();
        return listener;
    }
}
