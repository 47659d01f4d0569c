using System.Buffers;
using System.Collections.Immutable;
using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ProxySwapper.Admission;
using ProxySwapper.Configuration;
using ProxySwapper.Kubernetes.InMemory;
using ProxySwapper.Management;
using ProxySwapper.Population;
using ProxySwapper.Population.Cluster;
using ProxySwapper.Population.Queue;
using ProxySwapper.Registry;
using ProxySwapper.Rules;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Population;

/// <summary>Population as set up for the webhook, in this process.</summary>
internal sealed class PopulationScene : IAsyncDisposable
{
    private readonly IHost _host;
    private readonly ConfigurationMonitor _rules;

    private PopulationScene(IHost host, ConfigurationMonitor rules) => (_host, _rules) = (host, rules);

    public PopulationQueue Queue => Get<PopulationQueue>();

    public IAdmissionObserver Population => Get<IAdmissionObserver>();

    /// <summary>Starts population.</summary>
    /// <param name="options">The configuration.</param>
    /// <param name="log">Receives the log.</param>
    /// <param name="cluster">An in-memory API server, or null for none.</param>
    /// <param name="replica">The Pod name of this replica.</param>
    /// <param name="time">The clock; null for the system's.</param>
    /// <param name="isConnected">Whether to wait for the watch of the cluster.</param>
    public static async Task<PopulationScene> StartAsync(
        ProxySwapperOptions options,
        CapturedLog? log = null,
        InMemoryApiServer? cluster = null,
        string replica = "replica-1",
        TimeProvider? time = null,
        bool isConnected = true
    )
    {
        time ??= TimeProvider.System;
        var builder = Host.CreateEmptyApplicationBuilder(null);
        var rules = new ConfigurationMonitor(RuleSet.Compile(options), time.GetUtcNow());
        builder.Services.AddMetrics().AddSingleton(time).AddSingleton(options).AddSingleton(rules);
        if (log is not null)
            builder.Services.AddSingleton<ILoggerFactory>(log);
        using var folder = new TemporaryFolder();
        var variables = new Dictionary<string, string> { ["POD_NAME"] = replica };
        if (cluster is not null)
            variables["KUBECONFIG"] = folder.Write("kubeconfig", cluster.Kubeconfig(replica, "proxyswapper"));
        builder.Services.AddSingleton(new EnvironmentVariables(variables)).AddPopulation();
        var scene = new PopulationScene(builder.Build(), rules);
        await scene._host.StartAsync();
        if (cluster is not null && isConnected)
            await TestWait.UntilAsync(() => scene.Get<PodWatch>().IsConnected && scene.Get<ClusterCapabilities>().HasGates);
        return scene;
    }

    public T Get<T>()
        where T : notnull => _host.Services.GetRequiredService<T>();

    /// <summary>Admits a Pod with these images.</summary>
    /// <returns>The decisions in the response.</returns>
    public async Task<PodDecision> AdmitAsync(
        string[] images,
        bool isDryRun = false,
        string pullPolicy = "IfNotPresent",
        ActivityContext trace = default
    )
    {
        var rules = _rules.Current;
        var slots = images
            .Select(
                (image, index) =>
                    new PodImageDecision(
                        new PodImage(PodImageKind.Container, index, $"c{index}", image, pullPolicy),
                        rules.Evaluate(image, "team")
                    )
            )
            .ToImmutableArray();
        var decision = new PodDecision(PodDecision.OutcomeOf(slots), slots);
        var pod = PodOf(decision);
        if (Population.DelaysResponse(pod))
            decision = await Population.BeforeResponseAsync(pod, decision, default);
        if (!isDryRun)
            Population.AfterResponse(PodOf(decision));
        return decision;

        AdmittedPod PodOf(PodDecision decision) =>
            new()
            {
                Namespace = "team",
                Name = "pod",
                ServiceAccountName = "default",
                PullSecrets = [],
                Images = decision.Images,
                Rules = rules,
                IsDryRun = isDryRun,
                Activity = trace,
            };
    }

    /// <summary>The decision for a review, as sent by an API server.</summary>
    /// <param name="review">The review.</param>
    /// <param name="reload">Awaited once the images are decided about.</param>
    /// <param name="aborted">Cancelled when the client hangs up.</param>
    public async Task<PodDecision> ReviewAsync(string review, Func<Task>? reload = null, CancellationToken aborted = default)
    {
        var reviewer = new AdmissionReviewer(_rules.Current);
        if (!reviewer.TryRead(new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(review)), out var read, out var error))
            throw new ArgumentException(error, nameof(review));
        var decision = reviewer.Decide(read);
        var pod = AdmittedPod.Create(read, decision, reviewer.Rules, default);
        if (reload is not null)
            await reload();
        if (Population.DelaysResponse(pod))
            decision = await Population.BeforeResponseAsync(pod, decision, aborted);
        decision = Population.Mark(read, pod, decision);
        if (!read.IsDryRun)
            Population.AfterResponse(pod with { Images = decision.Images });
        return decision;
    }

    /// <summary>Replaces the configuration.</summary>
    public void Reload(ProxySwapperOptions options) => _rules.Apply(RuleSet.Compile(options), TimeProvider.System.GetUtcNow());

    /// <summary>The response of <c>/populate</c>.</summary>
    public async Task<JsonNode> ReadStateAsync()
    {
        var context = new DefaultHttpContext();
        using var body = new MemoryStream();
        context.Response.Body = body;
        await Get<IEnumerable<IManagementPage>>().Single(page => page.Path == "/populate").RespondAsync(context);
        return JsonNode.Parse(body.ToArray())!;
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        _host.Dispose();
    }
}
