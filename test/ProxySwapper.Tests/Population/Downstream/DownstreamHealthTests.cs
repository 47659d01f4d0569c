using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using ProxySwapper.Configuration;
using ProxySwapper.Kubernetes.InMemory;
using ProxySwapper.Population.Cluster;
using ProxySwapper.Population.Downstream;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Transport;
using ProxySwapper.Rules;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Population.Downstream;

[TestFixture]
internal sealed partial class DownstreamHealthTests : IDisposable
{
    private static readonly RegistryName Registry = RegistryName.Parse("down.example.com");
    private static readonly RegistryName Hanging = RegistryName.Parse("hanging.example.com");
    private const string Probe = "proxyswapper-access-check";

    private readonly ManualTimeProvider _time = new();
    private ClusterCapabilities _cluster = null!;
    private Exception? _fault;
    private int _pings;
    private HttpStatusCode? _denial;
    private Func<string, bool> _denied = _ => true;
    private readonly Dictionary<string, Exception> _inconclusive = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TimeSpan> _delays = new(StringComparer.Ordinal);
    private int _pauses;
    private readonly TaskCompletionSource _hanging = new();
    private readonly ConcurrentDictionary<RegistryName, int> _pingsOf = [];
    private Action? _during;
    private readonly List<string> _checks = [];

    [Test]
    public async Task A_registry_counts_as_failing_after_three_failures_until_it_responds()
    {
        using var health = Watching(new() { ProxyHealth = new() { Fallback = true } });
        _fault = new RegistryException(HttpMethod.Get, Registry, "", HttpStatusCode.BadGateway, []);
        await CheckAsync(health, TimeSpan.Zero);
        await CheckAsync(health, TimeSpan.FromSeconds(5));
        Assert.That(health.IsFallingBack, Is.False, "two may be an accident");
        await CheckAsync(health, TimeSpan.FromSeconds(5));
        Assert.That(
            (health.FailureOf(Registry, "app"), health.FailureOf(RegistryName.Parse("other.example.com"), "app")),
            Is.EqualTo(($"{Registry} is failing: GET {Registry}: bad gateway (HTTP 502)", (string?)null))
        );
        Assert.That(
            health.Describe(),
            Is.EqualTo($"{Registry} is failing, its images are left unchanged: GET {Registry}: bad gateway (HTTP 502)")
        );
        _fault = null;
        await CheckAsync(health, TimeSpan.FromSeconds(5));
        Assert.That((health.IsFallingBack, health.Describe()), Is.EqualTo((false, "")));
    }

    [Test]
    public async Task A_healthy_registry_is_checked_rarely_and_one_that_failed_a_request_at_once()
    {
        using var health = Watching(new());
        await CheckAsync(health, TimeSpan.Zero);
        await CheckAsync(health, TimeSpan.FromSeconds(29));
        var seldom = _pings;
        health.ReportFailure(Registry);
        await CheckAsync(health, TimeSpan.Zero);
        Assert.That((seldom, _pings), Is.EqualTo((1, 2)));
    }

    [TestCase(401)]
    [TestCase(403)]
    [TestCase(429)]
    public async Task A_registry_that_denies_us_access_still_responds_to_nodes(int status)
    {
        _fault = new RegistryException(HttpMethod.Get, Registry, "", (HttpStatusCode)status, []);
        using var health = Watching(new() { ProxyHealth = new() { Fallback = true } });
        for (var i = 0; i < 4; i++)
            await CheckAsync(health, TimeSpan.FromSeconds(30));
        Assert.That((health.IsFallingBack, _pings), Is.EqualTo((false, 4)));
    }

    [TestCase(401)]
    [TestCase(403)]
    public async Task A_registry_that_rejects_our_login_where_we_populate_is_failing(int status)
    {
        using var health = Watching(
            new()
            {
                Rules = [new() { Match = "docker.io", Target = $"{Registry}/hub" }],
                Populate = new() { Policy = PopulatePolicy.Gate },
            }
        );
        _denial = (HttpStatusCode)status;
        for (var i = 0; i < 3; i++)
            await CheckAsync(health, TimeSpan.FromSeconds(5));
        Assert.That((health.IsFallingBack, _checks.Distinct().Single()), Is.EqualTo((true, $"{Registry}/hub/proxyswapper-access-check")));
        Assert.That(
            health.Describe(),
            Does.Contain($"{Registry}/hub is failing").And.Contain("it rejects our login").And.Contain($"{status}")
        );
        _denial = null;
        await CheckAsync(health, TimeSpan.FromSeconds(5));
        Assert.That((health.IsFallingBack, health.Describe()), Is.EqualTo((false, "")));
        await CheckAsync(health, TimeSpan.FromMinutes(1));
        var before = _checks.Count;
        await CheckAsync(health, TimeSpan.FromMinutes(4));
        Assert.That(_checks, Has.Count.EqualTo(before + 1), "every five minutes while all is well");
    }

    [Test]
    public async Task With_keep_images_are_rewritten_also_while_our_login_is_rejected()
    {
        using var health = Watching(
            new()
            {
                Rules = [new() { Match = "docker.io", Target = $"{Registry}/hub" }],
                Populate = new() { Gate = new() { OnFailure = GateFailurePolicy.Keep } },
            }
        );
        _denial = HttpStatusCode.Forbidden;
        for (var i = 0; i < 3; i++)
            await CheckAsync(health, TimeSpan.FromSeconds(5));
        Assert.That((health.Describe().Length > 0, health.IsFallingBack), Is.EqualTo((true, false)));
    }

    [Test]
    public async Task A_repository_that_is_closed_to_us_says_nothing_of_a_registry_without_a_path_in_the_rules()
    {
        using var health = Watching(new() { Rules = [new() { Match = "docker.io", Target = Registry.Text }] });
        _denial = HttpStatusCode.Forbidden;
        health.Watch(Registry, "closed/app");
        await CheckAsync(health, TimeSpan.FromSeconds(5));
        _denial = null;
        health.Watch(Registry, "open/app");
        for (var i = 0; i < 3; i++)
            await CheckAsync(health, TimeSpan.FromSeconds(5));
        Assert.That(health.Describe(), Is.Empty);
    }

    [TestCase("down.example.com/hub", "down.example.com", "hub/proxyswapper-access-check")]
    [TestCase("down.example.com", "down.example.com", null)]
    [TestCase("down.example.com/a/{registry}/b", "down.example.com", "a/proxyswapper-access-check")]
    [TestCase("down.example.com/{registry}", "down.example.com", null)]
    public void What_is_checked_is_what_a_rule_says_of_all_its_images(string target, string registry, string? repository)
    {
        var found = AccessCheck.TargetsOf(new() { Rules = [new() { Match = "docker.io", Target = target }] }).Single();
        Assert.That((found.Registry.Text, found.Repository), Is.EqualTo((registry, repository)));
    }

    [TestCase("down.example.com:5000/a:1", "a", "a")]
    [TestCase("down.example.com:5000/a/b", "a/b", "a/b")]
    [TestCase("down.example.com:5000/a/b@sha256:0000000000000000000000000000000000000000000000000000000000000000", "a/b", "a/b")]
    [TestCase("down.example.com:5000/a/b:$1", "a/b", "a/b")]
    [TestCase("down.example.com:5000/a/b@$1", "a/b", "a/b")]
    [TestCase("down.example.com:5000/a/b-$1", "a", "a/proxyswapper-access-check")]
    [TestCase("down.example.com:5000/a/${name}:$2", "a", "a/proxyswapper-access-check")]
    [TestCase("down.example.com:5000/$1", "", null)]
    [TestCase("down.example.com:5000/b-$1", "", null)]
    public void The_repository_of_a_replacement_is_the_one_that_its_images_go_to(string replacement, string path, string? repository) =>
        Assert.That(
            AccessCheck.TargetsOf(new() { Rules = [new() { MatchRegex = "^(.*)$", Replace = replacement }] }),
            Is.EqualTo(new[] { new CheckedTarget(RegistryName.Parse("down.example.com:5000"), path, repository) })
        );

    [Test]
    public async Task A_rule_with_one_image_is_checked_at_its_repository_and_stays_apart_from_its_neighbours()
    {
        using var health = Watching(
            new()
            {
                Rules =
                [
                    new() { MatchRegex = "^quay.io/(.*)$", Replace = $"{Registry}/team/one:1" },
                    new() { Match = "docker.io", Target = $"{Registry}/team" },
                ],
            }
        );
        (_denial, _denied) = (HttpStatusCode.Forbidden, repository => repository == "team/one");
        for (var i = 0; i < 3; i++)
            await CheckAsync(health, TimeSpan.FromSeconds(5));
        Assert.That(_checks.Distinct(), Is.EquivalentTo(new[] { $"{Registry}/team/one", $"{Registry}/team/{Probe}" }));
        Assert.That(health.FailureOf(Registry, "team/one"), Does.Contain("rejects our login"));
        Assert.That(health.FailureOf(Registry, "team/other"), Is.Null);
    }

    [TestCase(SwapPolicy.Exists, null, true)]
    [TestCase(SwapPolicy.Always, null, false)]
    [TestCase(SwapPolicy.Always, true, true)]
    [TestCase(SwapPolicy.Exists, false, false)]
    public async Task Falling_back_is_on_for_exists_and_off_for_always_unless_said_otherwise(object policy, bool? fallback, bool fallsBack)
    {
        _fault = new HttpRequestException("no route");
        using var health = Watching(
            new()
            {
                SwapPolicy = (SwapPolicy)policy,
                Populate = new() { Policy = PopulatePolicy.Delayed },
                ProxyHealth = new() { Fallback = fallback },
            }
        );
        for (var i = 0; i < 3; i++)
            await CheckAsync(health, TimeSpan.FromSeconds(5));
        Assert.That((health.Describe().Length > 0, health.IsFallingBack), Is.EqualTo((true, fallsBack)));
    }

    [OneTimeSetUp]
    public async Task CheckCluster()
    {
        await using var server = await InMemoryApiServer.StartAsync();
        using var client = ApiServers.Connect(server);
        _cluster = new ClusterCapabilities(new KubernetesAccess(client), _time, NullLogger<ClusterCapabilities>.Instance);
        Assert.That(await _cluster.CheckAsync(client, default), Is.True);
    }

    public void Dispose() => _cluster.Dispose();

    [SetUp]
    public void Reset()
    {
        (_fault, _pings, _denial, _denied, _during, _pauses) = (null, 0, null, _ => true, null, 0);
        _time.Correction = TimeSpan.Zero;
        _checks.Clear();
        _inconclusive.Clear();
        _delays.Clear();
        _pingsOf.Clear();
    }

    private DownstreamHealth Watching(ProxySwapperOptions options) =>
        WatchingBy(new ConfigurationMonitor(RuleSet.Compile(options), _time.GetUtcNow()));

    private DownstreamHealth WatchingBy(ConfigurationMonitor rules)
    {
        var meters = new ServiceCollection().AddMetrics().BuildServiceProvider().GetRequiredService<IMeterFactory>();
        var events = new HealthEvents(new KubernetesAccess(null), _time, NullLogger<HealthEvents>.Instance);
        var health = new DownstreamHealth(
            new DownstreamProbe(PingAsync, CheckAsync, _time),
            _cluster,
            rules,
            events,
            meters,
            _time,
            NullLogger<DownstreamHealth>.Instance
        );
        health.Watch(Registry);
        return health;
    }

    private Task<DateTimeOffset?> CheckAsync(DownstreamHealth health, TimeSpan after)
    {
        _time.Advance(after);
        return health.CheckAsync(default);
    }

    private async Task CheckAsync(RegistryName registry, string repository, CancellationToken cancellationToken)
    {
        lock (_checks)
            _checks.Add($"{registry}/{repository}");
        if (_delays.TryGetValue(repository, out var delay))
        {
            var pause = Task.Delay(delay, _time, cancellationToken);
            Interlocked.Increment(ref _pauses);
            await pause;
        }
        if (_inconclusive.TryGetValue(repository, out var fault))
            throw fault;
        if (_denial is { } status && _denied(repository))
            throw new RegistryException(HttpMethod.Post, registry, repository, status, []);
    }

    private Task PingAsync(RegistryName registry, CancellationToken cancellationToken)
    {
        _pings++;
        _pingsOf.AddOrUpdate(registry, 1, (_, count) => count + 1);
        _during?.Invoke();
        if (registry == Hanging)
            return _hanging.Task;
        return _fault is null ? Task.CompletedTask : Task.FromException(_fault);
    }
}
