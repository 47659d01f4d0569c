using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using ProxySwapper.Configuration;
using ProxySwapper.Population;
using ProxySwapper.Population.Cluster;
using ProxySwapper.Population.Downstream;
using ProxySwapper.Population.Queue;
using ProxySwapper.Registries;
using ProxySwapper.Registry;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Registry.Timing;
using ProxySwapper.Rules;
using ProxySwapper.Testing.Time;
using ProxySwapper.Tests.Kubernetes;

namespace ProxySwapper.Tests.Population;

/// <summary>When the Pods of the cluster are listed, with a clock that the test moves.</summary>
[TestFixture]
internal sealed class ReconcilerTests
{
    private const string NoPods = """{"kind":"PodList","metadata":{"resourceVersion":"1"},"items":[]}""";

    private readonly ManualTimeProvider _time = new();
    private ScriptedApiServer _server = null!;
    private SeenNamespaces _namespaces = null!;

    [SetUp]
    public async Task Start() => (_server, _namespaces) = (await ScriptedApiServer.StartAsync(), new SeenNamespaces());

    [TearDown]
    public ValueTask Stop() => _server.DisposeAsync();

    [TestCase(10.0 / 24 / 60)]
    [TestCase(60)]
    public async Task Pods_are_listed_at_once_and_then_at_the_interval(double days)
    {
        var interval = TimeSpan.FromDays(days);
        _server.Respond(200, NoPods).Respond(200, NoPods);
        using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        using var registries = RegistryServices.Create([], EnvironmentVariables.None, _time, NullLoggerFactory.Instance);
        using var reconciler = Create(interval, services.GetRequiredService<IMeterFactory>(), registries);
        await reconciler.StartAsync(default);
        await TestWait.UntilAsync(() => _server.Requests.Count == 1, "the first pass");
        await _time.WaitForTimerWithinAsync(TimeSpan.FromMinutes(1));
        _time.Advance(interval - TimeSpan.FromSeconds(1));
        await _time.WaitForTimerAsync(TimeSpan.FromSeconds(1));
        Assert.That(_server.Requests, Has.Count.EqualTo(1));
        _time.Advance(TimeSpan.FromSeconds(1));
        await TestWait.UntilAsync(() => _server.Requests.Count == 2, "the second pass");
        await reconciler.StopAsync(default);
    }

    [Test]
    public async Task The_secrets_of_all_namespaces_that_need_a_missing_image_are_tried()
    {
        await using var target = await InMemoryRegistry.StartAsync();
        var options = new ProxySwapperOptions { Rules = [new() { Match = "docker.io", Target = $"{target.Address}/hub" }] };
        var pods = new[] { "a", "a", "b", "c" }.Select(
            (team, index) =>
                $$$"""
                    {"metadata":{"namespace":"{{{team}}}","name":"web-{{{index}}}","uid":"u{{{index}}}",
                      "annotations":{"original-image.proxyswapper.io/c":"nginx:1"}},
                     "spec":{"imagePullSecrets":[{"name":"mine"}],
                      "containers":[{"name":"c","image":"{{{target.Address}}}/hub/library/nginx:1"}]}}
                    """
        );
        _server.Respond(200, $$"""{"kind":"PodList","metadata":{"resourceVersion":"1"},"items":[{{string.Join(',', pods)}}]}""");
        using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        using var registries = RegistryServices.Create([], EnvironmentVariables.None, TimeProvider.System, NullLoggerFactory.Instance);
        var queue = QueueOf(options);
        using var reconciler = Create(options, queue, services.GetRequiredService<IMeterFactory>(), registries);
        using var client = _server.Client();
        Assert.That(await reconciler.RunAsync(client, default), Is.True);
        var job = queue.Read((_, waiting) => waiting.Single());
        Assert.That(job.Origins.Select(origin => origin.Namespace), Is.EqualTo(["a", "b", "c"]));
        Assert.That(target.Count(HttpMethod.Head, InMemoryRegistryRequestKind.Manifest), Is.EqualTo(1));
    }

    [Test]
    public async Task Namespaces_of_running_pods_are_known_and_all_are_alike_until_the_first_list_is_through()
    {
        var options = new ProxySwapperOptions();
        const string Pods = """
            {"kind":"PodList","metadata":{"resourceVersion":"1"},"items":[
             {"metadata":{"namespace":"running","name":"web","uid":"u1"},
               "spec":{"nodeName":"n","containers":[{"name":"c","image":"a:1"}]}}]}
            """;
        const string Rejection = """{"kind":"Status","status":"Failure","message":"no","reason":"Forbidden","code":403}""";
        _server.Respond(403, Rejection).Respond(200, Pods).Respond(403, Rejection);
        using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        using var registries = RegistryServices.Create([], EnvironmentVariables.None, TimeProvider.System, NullLoggerFactory.Instance);
        using var reconciler = Create(options, QueueOf(options), services.GetRequiredService<IMeterFactory>(), registries);
        using var client = _server.Client();
        _namespaces.Add("pending");
        await reconciler.RunAsync(client, default);
        Assert.That((_namespaces.Contains("running"), _namespaces.Contains("forged")), Is.EqualTo((true, true)), "the list has failed");
        for (var pass = 0; pass < 2; pass++)
        {
            await reconciler.RunAsync(client, default);
            Assert.That(
                (_namespaces.Contains("running"), _namespaces.Contains("pending"), _namespaces.Contains("forged")),
                Is.EqualTo((true, true, false))
            );
        }
    }

    private PopulationQueue QueueOf(ProxySwapperOptions options) => new(PopulateRules.Of(options.Populate), _time, new Backoff(() => 0.5));

    private Reconciler Create(TimeSpan interval, IMeterFactory meters, RegistryServices registries)
    {
        var options = new ProxySwapperOptions { Populate = new() { ReconcileEvery = interval } };
        return Create(options, QueueOf(options), meters, registries);
    }

    private Reconciler Create(ProxySwapperOptions options, PopulationQueue queue, IMeterFactory meters, RegistryServices registries)
    {
        var rules = new ConfigurationMonitor(RuleSet.Compile(options), _time.GetUtcNow());
        return new Reconciler(
            new KubernetesAccess(_server.Client()),
            rules,
            queue,
            new DownstreamLookup(queue, registries, rules, _time, NullLogger<DownstreamLookup>.Instance),
            _namespaces,
            new PopulationMetrics(meters, rules, queue),
            _time,
            NullLogger<Reconciler>.Instance
        );
    }
}
