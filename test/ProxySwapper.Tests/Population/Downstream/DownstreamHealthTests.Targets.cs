using System.Net;
using ProxySwapper.Configuration;
using ProxySwapper.Population.Downstream;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Tests.Population.Downstream;

/// <content>Our access to the targets of the rules.</content>
internal sealed partial class DownstreamHealthTests
{
    [TestCase("hub", "quay")]
    [TestCase("quay", "hub")]
    public async Task Each_target_of_a_registry_is_checked_and_only_the_images_of_one_that_denies_access_are_left_unchanged(
        string denied,
        string open
    )
    {
        using var health = Watching(
            new()
            {
                Rules =
                [
                    new() { Match = "docker.io", Target = $"{Registry}/hub" },
                    new() { Match = "quay.io", Target = $"{Registry}/quay" },
                ],
            }
        );
        (_denial, _denied) = (HttpStatusCode.Forbidden, repository => repository.StartsWith($"{denied}/", StringComparison.Ordinal));
        for (var i = 0; i < 3; i++)
            await CheckAsync(health, TimeSpan.FromSeconds(5));
        Assert.That(_checks.Distinct(), Is.EquivalentTo(new[] { "hub", "quay" }.Select(path => $"{Registry}/{path}/{Probe}")));
        Assert.That(health.FailureOf(Registry, $"{denied}/library/app"), Does.StartWith($"{Registry}/{denied} is failing: it rejects"));
        Assert.That(health.FailureOf(Registry, $"{open}/library/app"), Is.Null);
        Assert.That(
            health.Describe(),
            Does.StartWith($"{Registry}/{denied} is failing, its images are left unchanged").And.Not.Contain(";")
        );
        var state = health.Snapshot().Single();
        Assert.That(state.Access, Is.EqualTo(DownstreamAccess.Refused));
        Assert.That(state.Failure, Does.StartWith($"{Registry}/{denied}: it rejects our login"));
        _denial = null;
        await CheckAsync(health, TimeSpan.FromSeconds(5));
        Assert.That((health.IsFallingBack, health.Snapshot().Single().Access), Is.EqualTo((false, DownstreamAccess.Granted)));
    }

    [Test]
    public async Task The_first_repository_of_a_target_without_a_path_is_checked_at_once()
    {
        using var health = Watching(new() { Rules = [new() { Match = "docker.io", Target = Registry.Text }] });
        _denial = HttpStatusCode.Unauthorized;
        await CheckAsync(health, TimeSpan.Zero);
        Assert.That(_checks, Is.Empty);
        health.Watch(Registry, "library/app");
        Assert.That(await CheckAsync(health, TimeSpan.Zero), Is.EqualTo(_time.GetUtcNow() + TimeSpan.FromSeconds(5)));
        Assert.That(_checks, Is.EqualTo(new[] { $"{Registry}/library/app" }));
        await CheckAsync(health, TimeSpan.FromSeconds(5));
        await CheckAsync(health, TimeSpan.FromSeconds(5));
        Assert.That(health.FailureOf(Registry, "library/other"), Does.StartWith($"{Registry} is failing: it rejects our login"));
    }

    [Test]
    public async Task A_copy_that_is_denied_has_our_access_checked_before_its_time()
    {
        using var health = Watching(new() { Rules = [new() { Match = "docker.io", Target = $"{Registry}/hub" }] });
        await CheckAsync(health, TimeSpan.Zero);
        _denial = HttpStatusCode.Forbidden;
        await CheckAsync(health, TimeSpan.FromSeconds(30));
        Assert.That(_checks, Has.Count.EqualTo(1));
        health.ReportDenial(Registry, "hub/library/app");
        await CheckAsync(health, TimeSpan.Zero);
        var all = new[] { $"{Registry}/hub/{Probe}", $"{Registry}/hub/library/app" };
        Assert.That(_checks.Skip(1), Is.EqualTo(all));
        health.ReportDenial(Registry, "hub/library/app");
        await CheckAsync(health, TimeSpan.Zero);
        Assert.That(_checks, Has.Count.EqualTo(3), "it is checked every few seconds already");
        await CheckAsync(health, TimeSpan.FromSeconds(5));
        Assert.That(_checks.Skip(3), Is.EqualTo(all));
    }

    /// <summary>Such as a robot account of Quay, a scoped token of ACR, or an IAM policy that names repositories of ECR.</summary>
    [TestCase("hub")]
    [TestCase("")]
    public async Task A_login_with_rights_for_single_repositories_is_let_in_once_one_of_their_images_is_used(string path)
    {
        var (target, prefix) = path.Length > 0 ? ($"{Registry}/{path}", $"{path}/") : (Registry.Text, "");
        using var health = Watching(new() { Rules = [new() { Match = "docker.io", Target = target }] });
        (_denial, _denied) = (HttpStatusCode.Forbidden, repository => repository != $"{prefix}team/ours");
        await CheckAsync(health, TimeSpan.Zero);
        foreach (var name in new[] { "a", "b", "c", "d" })
            health.Watch(Registry, $"{prefix}team/{name}");
        for (var i = 0; i < 3; i++)
            await CheckAsync(health, TimeSpan.FromSeconds(5));
        Assert.That(health.FailureOf(Registry, $"{prefix}team/ours"), Does.StartWith($"{target} is failing: it rejects our login"));
        await CheckAsync(health, TimeSpan.FromSeconds(5));
        Assert.That(
            (health.FailureOf(Registry, $"{prefix}team/ours"), health.Snapshot().Single().Access),
            Is.EqualTo(((string?)null, DownstreamAccess.Granted))
        );
        // Other repositories do not displace it.
        foreach (var name in new[] { "e", "f", "g", "h" })
            health.ReportDenial(Registry, $"{prefix}team/{name}");
        for (var i = 0; i < 4; i++)
            await CheckAsync(health, TimeSpan.FromMinutes(5));
        Assert.That(health.Describe(), Is.Empty);
    }

    /// <summary>Such as the name of an image that nobody has, which a Pod adds to the repositories that are checked.</summary>
    [TestCase(404)]
    [TestCase(502)]
    [TestCase(null)]
    public async Task An_inconclusive_check_of_one_repository_ends_no_denial(int? status)
    {
        using var health = Watching(new() { Rules = [new() { Match = "docker.io", Target = $"{Registry}/hub" }] });
        _denial = HttpStatusCode.Forbidden;
        for (var i = 0; i < 3; i++)
            await CheckAsync(health, TimeSpan.FromSeconds(5));
        _inconclusive["hub/made/up"] = status is { } code
            ? new RegistryException(HttpMethod.Post, Registry, "hub/made/up", (HttpStatusCode)code, [])
            : new HttpRequestException("no route");
        Assert.That(health.FailureOf(Registry, "hub/made/up"), Does.Contain("it rejects our login"));
        for (var i = 0; i < 3; i++)
        {
            await CheckAsync(health, TimeSpan.FromSeconds(5));
            Assert.That(_checks, Does.Contain($"{Registry}/hub/made/up"));
            Assert.That(health.FailureOf(Registry, "hub/app"), Does.Contain("it rejects our login"));
            Assert.That(health.Snapshot().Single().Access, Is.EqualTo(DownstreamAccess.Refused));
        }
        _denial = null;
        await CheckAsync(health, TimeSpan.FromSeconds(5));
        Assert.That((health.Describe(), health.Snapshot().Single().Access), Is.EqualTo(("", DownstreamAccess.Granted)));
        // Nor does it begin one, or make unknown what was granted.
        _inconclusive[$"hub/{Probe}"] = _inconclusive["hub/made/up"];
        for (var i = 0; i < 4; i++)
            await CheckAsync(health, TimeSpan.FromMinutes(5));
        Assert.That((health.Describe(), health.Snapshot().Single().Access), Is.EqualTo(("", DownstreamAccess.Granted)));
    }

    [Test]
    public async Task What_is_suspected_during_a_check_is_checked_again()
    {
        using var health = Watching(new());
        _during = () => health.ReportFailure(Registry);
        await CheckAsync(health, TimeSpan.Zero);
        _during = null;
        await CheckAsync(health, TimeSpan.Zero);
        Assert.That(_pings, Is.EqualTo(2));
    }

    [TestCase(PopulatePolicy.Delayed, GateFailurePolicy.Restore, null, true)]
    [TestCase(PopulatePolicy.Immediate, GateFailurePolicy.Restore, null, true)]
    [TestCase(PopulatePolicy.Delayed, GateFailurePolicy.Keep, null, false)]
    [TestCase(PopulatePolicy.Delayed, GateFailurePolicy.Restore, false, false)]
    [TestCase(PopulatePolicy.None, GateFailurePolicy.Restore, null, false)]
    public async Task Images_are_left_unchanged_while_our_login_is_rejected_with_any_policy(
        object policy,
        object onFailure,
        bool? fallback,
        bool fallsBack
    )
    {
        using var health = Watching(
            new()
            {
                Rules = [new() { Match = "docker.io", Target = $"{Registry}/hub" }],
                Populate = new()
                {
                    Policy = (PopulatePolicy)policy,
                    Gate = new() { OnFailure = (GateFailurePolicy)onFailure },
                },
                ProxyHealth = new() { Fallback = fallback },
            }
        );
        _denial = HttpStatusCode.Forbidden;
        for (var i = 0; i < 3; i++)
            await CheckAsync(health, TimeSpan.FromSeconds(5));
        Assert.That((health.IsFallingBack, health.FailureOf(Registry, "hub/app") is not null), Is.EqualTo((fallsBack, fallsBack)));
    }
}
