using System.Net;
using ProxySwapper.Configuration;
using ProxySwapper.Population.Downstream;
using ProxySwapper.Registry.Transport;
using ProxySwapper.Rules;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Population.Downstream;

/// <content>How a rejection ends, and what a slow registry delays.</content>
internal sealed partial class DownstreamHealthTests
{
    private const string Probed = $"hub/{Probe}";

    /// <summary>ECR has a repository only once a copy creates it, and nothing is copied to a target that fails.</summary>
    [TestCase(true)]
    [TestCase(false)]
    public async Task A_denial_ends_once_a_registry_without_any_of_the_repositories_lets_us_in(bool hasStatus)
    {
        using var health = await DeniedAsync();
        Assert.That(health.FailureOf(Registry, "hub/app"), Does.Contain("it rejects our login"));
        await CheckAsync(health, TimeSpan.FromSeconds(5));
        Assert.That(health.FailureOf(Registry, "hub/app"), Does.Contain("it rejects our login"));
        _denial = null;
        foreach (var repository in new[] { Probed, "hub/app" })
            _inconclusive[repository] = Absent(repository, hasStatus);
        await CheckAsync(health, TimeSpan.FromSeconds(5));
        Assert.That((health.Describe(), health.Snapshot().Single().Access), Is.EqualTo(("", DownstreamAccess.Unknown)));
        var before = _checks.Count;
        await CheckAsync(health, TimeSpan.FromSeconds(30));
        Assert.That(_checks, Has.Count.EqualTo(before), "not every few seconds any more");
    }

    [Test]
    public async Task A_clock_that_is_corrected_does_not_delay_the_next_check()
    {
        using var health = Watching(new());
        await CheckAsync(health, TimeSpan.Zero);
        var pings = _pings;
        _time.Correction = TimeSpan.FromHours(-1);
        await CheckAsync(health, TimeSpan.FromMinutes(1));
        Assert.That(_pings, Is.EqualTo(pings + 1));
        Assert.That(health.Snapshot().Single().CheckedAt, Is.EqualTo(_time.GetUtcNow()));
    }

    [Test]
    public async Task A_registry_that_a_reload_removed_from_the_rules_is_neither_checked_nor_failing_any_more()
    {
        var rules = new ConfigurationMonitor(RuleSet.Compile(OptionsOf(Registry.Text)), _time.GetUtcNow());
        using var health = WatchingBy(rules);
        _fault = new HttpRequestException("connection refused");
        for (var i = 0; i < 3; i++)
            await CheckAsync(health, TimeSpan.FromSeconds(5));
        Assert.That(health.IsFallingBack, Is.True);
        rules.Apply(RuleSet.Compile(OptionsOf("other.example.com")), _time.GetUtcNow());
        await CheckAsync(health, TimeSpan.FromSeconds(5));
        Assert.That((health.IsFallingBack, health.Describe()), Is.EqualTo((false, "")));
        Assert.That(health.Snapshot().Select(state => state.Registry.ToString()), Is.EqualTo(["other.example.com"]));

        static ProxySwapperOptions OptionsOf(string registry) =>
            new()
            {
                ProxyHealth = new() { Fallback = true },
                Rules = [new() { Match = "docker.io", Target = $"{registry}/hub" }],
            };
    }

    [Test]
    public async Task A_name_that_no_image_has_ends_no_denial_even_while_the_other_repositories_time_out()
    {
        using var health = await DeniedAsync();
        Assert.That(health.FailureOf(Registry, "hub/made/up"), Is.Not.Null);
        _inconclusive["hub/made/up"] = Absent("hub/made/up", hasStatus: true);
        for (var i = 0; i < 4; i++)
        {
            if (i == 2)
                _inconclusive[Probed] = new HttpRequestException("no route");
            await CheckAsync(health, TimeSpan.FromSeconds(5));
            Assert.That(health.FailureOf(Registry, "hub/app"), Does.Contain("it rejects our login"), $"{i}");
        }
        // It denied access when it last responded; now it does not exist.
        _inconclusive[Probed] = Absent(Probed, hasStatus: true);
        _inconclusive["hub/app"] = Absent("hub/app", hasStatus: true);
        await CheckAsync(health, TimeSpan.FromSeconds(5));
        Assert.That(health.Describe(), Is.Empty);
    }

    [Test]
    public async Task Denials_with_inconclusive_checks_between_them_are_not_consecutive()
    {
        using var health = Watching(new() { Rules = [new() { Match = "docker.io", Target = $"{Registry}/hub" }] });
        for (var i = 0; i < 4; i++)
        {
            _inconclusive.Clear();
            _denial = HttpStatusCode.Forbidden;
            await CheckAsync(health, TimeSpan.FromMinutes(5));
            _inconclusive[Probed] = new HttpRequestException("no route");
            await CheckAsync(health, TimeSpan.FromSeconds(5));
            Assert.That((health.Describe(), health.Snapshot().Single().Access), Is.EqualTo(("", DownstreamAccess.Unknown)));
        }
        var before = _checks.Count;
        await CheckAsync(health, TimeSpan.FromSeconds(30));
        Assert.That(_checks, Has.Count.EqualTo(before), "not every few seconds any more");
    }

    [Test]
    public async Task A_slow_registry_can_let_us_in_again()
    {
        using var health = await DeniedAsync();
        _denial = null;
        _delays[Probed] = TimeSpan.FromSeconds(10);
        var look = CheckAsync(health, TimeSpan.FromSeconds(5));
        await TestWait.UntilAsync(() => _pauses == 1);
        _time.Advance(TimeSpan.FromSeconds(10));
        await look.WaitAsync(TimeSpan.FromMinutes(1));
        Assert.That((health.Describe(), health.Snapshot().Single().Access), Is.EqualTo(("", DownstreamAccess.Granted)));
    }

    [Test]
    public async Task The_repositories_of_a_target_that_hang_are_waited_for_together()
    {
        using var health = Watching(new() { Rules = [new() { Match = "docker.io", Target = $"{Registry}/hub" }] });
        await CheckAsync(health, TimeSpan.Zero);
        _checks.Clear();
        var all = new[] { Probed, "hub/a", "hub/b", "hub/c" };
        foreach (var repository in all)
            _delays[repository] = TimeSpan.FromHours(1);
        foreach (var repository in all.Skip(1))
            health.ReportDenial(Registry, repository);
        var look = CheckAsync(health, TimeSpan.Zero);
        await TestWait.UntilAsync(() => _pauses == 1);
        _time.Advance(TimeSpan.FromSeconds(5));
        await TestWait.UntilAsync(() => _pauses == all.Length);
        _time.Advance(TimeSpan.FromSeconds(5));
        await look.WaitAsync(TimeSpan.FromMinutes(1));
        Assert.That(_checks, Is.EquivalentTo(all.Select(repository => $"{Registry}/{repository}")));
    }

    [Test]
    public async Task A_registry_that_hangs_does_not_delay_the_checks_of_the_others()
    {
        using var health = Watching(new());
        health.Watch(Hanging);
        await health.StartAsync(default);
        await TestWait.UntilAsync(() => _pingsOf.GetValueOrDefault(Registry) == 1 && _pingsOf.GetValueOrDefault(Hanging) == 1);
        for (var i = 2; i <= 4; i++)
        {
            await TestWait.UntilAsync(() =>
            {
                _time.Advance(TimeSpan.FromSeconds(30));
                return _pingsOf.GetValueOrDefault(Registry) >= i;
            });
        }
        Assert.That(_pingsOf[Hanging], Is.EqualTo(1), "its check has not ended");
        _hanging.SetResult();
        await health.StopAsync(default);
    }

    private static RegistryException Absent(string repository, bool hasStatus) =>
        hasStatus
            ? new(HttpMethod.Post, Registry, repository, HttpStatusCode.NotFound, [])
            : new(HttpMethod.Post, Registry, repository, null, []) { IsRepositoryUnknown = true };

    private async Task<DownstreamHealth> DeniedAsync()
    {
        var health = Watching(new() { Rules = [new() { Match = "docker.io", Target = $"{Registry}/hub" }] });
        _denial = HttpStatusCode.Forbidden;
        for (var i = 0; i < 3; i++)
            await CheckAsync(health, TimeSpan.FromSeconds(5));
        return health;
    }
}
