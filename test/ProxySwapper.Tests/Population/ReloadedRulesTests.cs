using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using ProxySwapper.Admission;
using ProxySwapper.Configuration;
using ProxySwapper.Kubernetes;
using ProxySwapper.Kubernetes.InMemory;
using ProxySwapper.Population;
using ProxySwapper.Population.Downstream;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Population;

/// <summary>What began by rules that a reload has replaced ends by one of the two configurations, and not by parts of both.</summary>
[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class ReloadedRulesTests
{
    private readonly TaskCompletionSource _requested = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private InMemoryRegistry _upstream = null!;
    private InMemoryRegistry _before = null!;
    private InMemoryApiServer _server = null!;
    private KubernetesClient _client = null!;

    [SetUp]
    public async Task Start()
    {
        _upstream = await InMemoryRegistry.StartAsync();
        _before = await InMemoryRegistry.StartAsync(new InMemoryRegistryOptions { Interceptor = HoldLookupsAsync });
        _server = await InMemoryApiServer.StartAsync();
        _client = ApiServers.Connect(_server, @namespace: "proxyswapper");
        TestImage.Create(77, 1, 100).AddTo(_upstream, "app", "1");
    }

    [TearDown]
    public async Task Stop()
    {
        _end.TrySetResult();
        _client.Dispose();
        await _server.DisposeAsync();
        await _upstream.DisposeAsync();
        await _before.DisposeAsync();
    }

    [Test]
    public async Task A_gated_pod_whose_lookup_outlasts_its_rule_is_released_with_its_original()
    {
        await using var scene = await StartAsync(PopulatePolicy.Gate);
        await new ResourceClient(_client, ResourceType.Pods).CreateAsync(
            "team",
            GatedPodSamples.Create("team", "app", (Source, Target)),
            default
        );
        await _requested.Task.WaitAsync(TimeSpan.FromMinutes(1), TimeProvider.System);
        await ReloadAsync(scene);
        _end.SetResult();
        await TestWait.UntilAsync(() => GatedPodSamples.GatesOf(_server.FindPod("team", "app")!).Count == 0, "the release");
        Assert.That(GatedPodSamples.ImagesOf(_server.FindPod("team", "app")!), Is.EqualTo([Source]));
        Assert.That(Monitored(scene), Is.Empty, "nobody names the registry any more");
        Assert.That(_before.Repository("mirror/app").Find("1"), Is.Null);
    }

    [Test]
    public async Task A_reconciliation_ends_when_its_rules_are_replaced()
    {
        await using var scene = await StartAsync(PopulatePolicy.Delayed);
        var pod = GatedPodSamples.Create("team", "app", (Source, Target));
        pod["spec"]!.AsObject().Remove("schedulingGates");
        pod["metadata"]!["labels"]!.AsObject().Remove(GatedPodSamples.Label);
        // With a node, so that no watch shows it.
        pod["spec"]!["nodeName"] = "node-1";
        await new ResourceClient(_client, ResourceType.Pods).CreateAsync("team", pod, default);
        var pass = scene.Get<IEnumerable<IHostedService>>().OfType<Reconciler>().Single().RunAsync(_client, default);
        await _requested.Task.WaitAsync(TimeSpan.FromMinutes(1), TimeProvider.System);
        await ReloadAsync(scene);
        _end.SetResult();
        Assert.That(await pass, Is.False);
        Assert.That(scene.Queue.WaitingCount + scene.Queue.RunningCount, Is.Zero);
    }

    [Test]
    public async Task A_response_that_outlasts_its_rules_has_no_registry_monitored_that_they_alone_named()
    {
        await using var scene = await StartAsync(PopulatePolicy.Delayed);
        await scene.ReviewAsync(ReviewSamples.Create(Source), () => ReloadAsync(scene));
        Assert.That(Monitored(scene), Is.Empty);
    }

    [Test]
    public async Task A_review_is_marked_by_the_rules_that_decided_about_its_images()
    {
        // With a clock that stands still, so that no watch starts anew because of the reload.
        await using var scene = await StartAsync(PopulatePolicy.None, new ManualTimeProvider());
        var decision = await ReviewAsync(PopulatePolicy.Gate);
        Assert.That((decision.Outcome, decision.SchedulingGate), Is.EqualTo((AdmissionOutcome.Patched, (string?)null)));
        decision = await ReviewAsync(PopulatePolicy.None);
        Assert.That(decision.SchedulingGate, Is.EqualTo(GateLabels.Gate));

        Task<PodDecision> ReviewAsync(PopulatePolicy next) =>
            scene.ReviewAsync(
                ReviewSamples.Create(Source),
                () =>
                {
                    scene.Reload(OptionsOf(next));
                    return Task.CompletedTask;
                }
            );
    }

    private string Source => $"{_upstream.Address}/app:1";

    private string Target => $"{_before.Address}/mirror/app:1";

    private Task<PopulationScene> StartAsync(PopulatePolicy policy, TimeProvider? time = null) =>
        PopulationScene.StartAsync(OptionsOf(policy), cluster: _server, time: time);

    private ProxySwapperOptions OptionsOf(PopulatePolicy policy) =>
        new()
        {
            Rules = [new() { Match = _upstream.Address, Target = $"{_before.Address}/mirror" }],
            ShutdownGracePeriod = TimeSpan.FromSeconds(1),
            Populate = new() { Policy = policy, ReconcileEvery = TimeSpan.Zero },
        };

    /// <summary>Removes the rule, and waits until its registry is not monitored any more.</summary>
    private static async Task ReloadAsync(PopulationScene scene)
    {
        scene.Reload(new() { ShutdownGracePeriod = TimeSpan.FromSeconds(1) });
        await scene.Get<DownstreamHealth>().CheckAsync(default);
        Assert.That(Monitored(scene), Is.Empty);
    }

    private static IEnumerable<string> Monitored(PopulationScene scene) =>
        scene.Get<DownstreamHealth>().Snapshot().Select(state => state.Registry.Text);

    private async Task HoldLookupsAsync(HttpContext context, RequestDelegate next)
    {
        if (HttpMethods.IsHead(context.Request.Method) && context.Request.Path.Value == "/v2/mirror/app/manifests/1")
        {
            _requested.TrySetResult();
            await _end.Task.WaitAsync(context.RequestAborted);
        }
        await next(context);
    }
}
