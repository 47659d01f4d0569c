using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using ProxySwapper.Configuration;
using ProxySwapper.Population;
using ProxySwapper.Population.Downstream;
using ProxySwapper.Population.Transfer;
using ProxySwapper.Registries;
using ProxySwapper.Registry;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Rules;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Population.Downstream;

/// <summary>Our access to the targets of the rules, checked at once and by one rejection.</summary>
[TestFixture]
internal sealed class AccessSurveyTests
{
    private const string Probe = "proxyswapper-access-check";

    [TestCase("docker.io", "r.example", "library/proxyswapper-access-check")]
    [TestCase("docker.io/nginx", "r.example", "library/nginx")]
    [TestCase("docker.io/bitnami/*", "r.example", "bitnami/proxyswapper-access-check")]
    [TestCase("quay.io", "r.example", Probe)]
    [TestCase("quay.io/coreos/**", "r.example", "coreos/proxyswapper-access-check")]
    [TestCase("quay.io/coreos/**", "r.example/{registry}", "quay.io/coreos/proxyswapper-access-check")]
    [TestCase("docker.io", "r.example/{registry}/all", "docker.io/all/library/proxyswapper-access-check")]
    [TestCase("registry.example.com:5000/**", "r.example/{registry}", "registry.example.com_5000/proxyswapper-access-check")]
    [TestCase("**", "r.example/{registry}", Probe)]
    [TestCase("*.example.com", "r.example", Probe)]
    public void A_target_without_a_path_is_checked_with_a_repository_that_an_image_could_go_to(string match, string target, string example)
    {
        var found = AccessCheck.DestinationsOf(new() { Rules = [new() { Match = match, Target = target }] }).Single();
        Assert.That((found.Target.Repository, found.Example), Is.EqualTo(((string?)null, example)));
    }

    [TestCase("", "library/proxyswapper-access-check")]
    [TestCase("/hub", "hub/proxyswapper-access-check")]
    public async Task A_registry_that_denies_uploads_is_a_failure_at_once(string path, string repository)
    {
        await using var registry = await RejectingAsync("POST", 403);
        var findings = await SurveyAsync(registry, new() { ProxyUrl = registry.Address + path });
        Assert.That(findings.Single().Outcome, Is.EqualTo(AccessOutcome.Failed));
        Assert.That(
            findings.Single().Text,
            Does.StartWith($"{registry.Address}: it rejects our login: ").And.Contain(repository).And.Contain("forbidden (HTTP 403)")
        );
    }

    [Test]
    public async Task A_registry_that_lets_us_write_is_granted_and_keeps_no_upload()
    {
        await using var registry = await InMemoryRegistry.StartAsync();
        var findings = await SurveyAsync(registry, new() { ProxyUrl = registry.Address });
        Assert.That(
            findings,
            Is.EqualTo(
                new[]
                {
                    new AccessFinding(AccessOutcome.Granted, $"reading and writing is allowed at {registry.Address} in library/{Probe}"),
                }
            )
        );
        Assert.That(registry.Repositories.Values.SelectMany(repository => repository.Uploads), Is.Empty);
    }

    [Test]
    public async Task A_repository_that_a_copy_creates_is_no_failure()
    {
        await using var registry = await RejectingAsync("POST", 404);
        var findings = await SurveyAsync(registry, new() { ProxyUrl = registry.Address });
        Assert.That(findings.Single().Outcome, Is.EqualTo(AccessOutcome.Unknown));
        Assert.That(findings.Single().Text, Does.StartWith("writing is not checked").And.Contain("does not exist"));
    }

    [TestCase(false, PopulatePolicy.Gate, SwapPolicy.Always, AccessOutcome.Unknown)]
    [TestCase(false, PopulatePolicy.Gate, SwapPolicy.Exists, AccessOutcome.Failed)]
    [TestCase(true, PopulatePolicy.None, SwapPolicy.Always, AccessOutcome.Unknown)]
    [TestCase(true, PopulatePolicy.None, SwapPolicy.Exists, AccessOutcome.Failed)]
    public async Task Where_nothing_is_copied_only_exists_needs_our_own_access(
        bool populate,
        object policy,
        object swapPolicy,
        object outcome
    )
    {
        await using var registry = await RejectingAsync("HEAD", 401);
        var options = new ProxySwapperOptions
        {
            Rules =
            [
                new()
                {
                    Match = "docker.io",
                    Target = $"{registry.Address}/hub",
                    Populate = populate,
                },
            ],
            Populate = new() { Policy = (PopulatePolicy)policy },
            SwapPolicy = (SwapPolicy)swapPolicy,
        };
        var finding = (await SurveyAsync(registry, options)).Single();
        Assert.That(
            (finding.Outcome, finding.Text.Contains("HTTP 401", StringComparison.Ordinal)),
            Is.EqualTo(((AccessOutcome)outcome, true))
        );
        if (finding.Outcome == AccessOutcome.Unknown)
            Assert.That(finding.Text, Does.StartWith("not checked: ").And.Contain("nothing is copied there"));
    }

    /// <summary>Harbor rejects uploads to a proxy-cache project, to everybody.</summary>
    [Test]
    public async Task A_cache_that_is_warmed_is_only_checked_for_reading()
    {
        await using var registry = await RejectingAsync("POST", 403);
        var options = new ProxySwapperOptions
        {
            Rules =
            [
                new() { Match = "docker.io", Target = $"{registry.Address}/hub" },
                new() { Match = "quay.io", Target = $"{registry.Address}/quay" },
            ],
            Populate = new()
            {
                ProxyCaches =
                [
                    new()
                    {
                        RegexUrl = $"^{System.Text.RegularExpressions.Regex.Escape(registry.Address)}/(hub)/(.+):([^:]+)$",
                        ReplacementOci = $"https://{registry.Address}/v2/$1/$2/manifests/$3",
                    },
                ],
            },
        };
        var findings = await SurveyAsync(registry, options);
        Assert.That(findings.Select(finding => finding.Outcome), Is.EqualTo(new[] { AccessOutcome.Granted, AccessOutcome.Failed }));
        Assert.That(findings[0].Text, Does.StartWith($"reading is allowed at {registry.Address} in hub/"));
    }

    [Test]
    public async Task Where_nothing_is_copied_writing_is_said_to_be_unchecked()
    {
        await using var registry = await RejectingAsync("POST", 403);
        var options = new ProxySwapperOptions
        {
            Rules =
            [
                new()
                {
                    Match = "docker.io",
                    Target = registry.Address,
                    Populate = false,
                },
            ],
        };
        var finding = (await SurveyAsync(registry, options)).Single();
        Assert.That(finding.Outcome, Is.EqualTo(AccessOutcome.Granted));
        Assert.That(finding.Text, Does.StartWith("reading is allowed at").And.Contain("writing is not checked"));
    }

    [Test]
    public async Task Registries_are_queried_once_however_many_callers_there_are()
    {
        await using var registry = await RejectingAsync("POST", 403);
        var options = new ProxySwapperOptions { ProxyUrl = registry.Address, Registries = Entries(registry) };
        var rules = new ConfigurationMonitor(RuleSet.Compile(options), TimeProvider.System.GetUtcNow());
        using var connections = new RegistryConnections(
            options,
            rules,
            EnvironmentVariables.None,
            TimeProvider.System,
            NullLoggerFactory.Instance
        );
        var time = new ManualTimeProvider();
        var page = new AccessEndpoint(connections, rules, time);
        Assert.That(page.IsOpen, "helm test has no token");
        var texts = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => TextOfAsync(page)));
        Assert.That(texts.Distinct().Single(), Does.StartWith($"[-] {registry.Address}: it rejects our login").And.EndWith("\n"));
        var requests = registry.Requests;
        await TextOfAsync(page);
        Assert.That((registry.Requests, requests), Is.EqualTo((requests, 2)), "a HEAD and a POST");
        time.Correction = TimeSpan.FromHours(-1);
        time.Advance(TimeSpan.FromSeconds(5));
        await TextOfAsync(page);
        Assert.That(registry.Requests, Is.EqualTo(2 * requests));
    }

    private static async Task<string> TextOfAsync(AccessEndpoint page)
    {
        var context = new DefaultHttpContext();
        using var body = new MemoryStream();
        context.Response.Body = body;
        await page.RespondAsync(context);
        return System.Text.Encoding.UTF8.GetString(body.ToArray());
    }

    private static async Task<IReadOnlyList<AccessFinding>> SurveyAsync(InMemoryRegistry registry, ProxySwapperOptions options)
    {
        using var registries = RegistryServices.Create(
            Entries(registry),
            EnvironmentVariables.None,
            TimeProvider.System,
            NullLoggerFactory.Instance
        );
        return await new AccessSurvey(registries, TimeProvider.System).RunAsync(options, default);
    }

    private static RegistryEntryOptions[] Entries(InMemoryRegistry registry) =>
        [new() { Host = RegistryName.Parse(registry.Address), PlainHttp = true }];

    private static Task<InMemoryRegistry> RejectingAsync(string method, int status) =>
        InMemoryRegistry.StartAsync(
            new()
            {
                Interceptor = (context, next) =>
                {
                    if (context.Request.Method != method)
                        return next(context);
                    context.Response.StatusCode = status;
                    return Task.CompletedTask;
                },
            }
        );
}
