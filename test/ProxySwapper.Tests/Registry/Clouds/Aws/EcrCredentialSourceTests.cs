using Amazon.Runtime;
using Microsoft.Extensions.Time.Testing;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Clouds.Aws;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Testing.Clouds;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Tests.Registry.Clouds.Aws;

/// <summary>The source against an in-process API; finding an identity is tested with the built program.</summary>
[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class EcrCredentialSourceTests : IAsyncDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly CapturedLog _log = new();
    private readonly Dictionary<string, AwsPrincipal?> _profiles = [];
    private FakeEcr _ecr = null!;
    private EcrCredentialSource _source = null!;

    [SetUp]
    public async Task Start()
    {
        _ecr = await FakeEcr.StartAsync(time: _time);
        _profiles[""] = _ecr.Principal;
        _source = Source();
    }

    public ValueTask DisposeAsync()
    {
        _log.Dispose();
        return _ecr.DisposeAsync();
    }

    [Test]
    public async Task A_registry_of_Amazons_is_opened_by_its_password()
    {
        var credential = await GetAsync();
        Assert.That((credential!.Username, credential.Password), Is.EqualTo(("AWS", "ecr-password-1-of-123456789012")));
    }

    [TestCase("quay.io")]
    [TestCase("docker.io")]
    [TestCase("europe-docker.pkg.dev")]
    public async Task Other_hosts_are_for_other_sources(string host)
    {
        Assert.That(await _source.GetAsync(Image(host), default), Is.Null);
        Assert.That(_ecr.Calls, Is.Empty);
    }

    [Test]
    public async Task A_password_is_kept_until_two_minutes_before_it_ends()
    {
        await GetAsync();
        _time.Advance(TimeSpan.FromHours(12) - TimeSpan.FromMinutes(2) - TimeSpan.FromSeconds(1));
        Assert.That((await GetAsync())!.Password, Does.StartWith("ecr-password-1-"));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.That((await GetAsync())!.Password, Does.StartWith("ecr-password-2-"));
        Assert.That(_ecr.Calls, Has.Count.EqualTo(2));
    }

    [Test]
    public async Task A_hundred_concurrent_callers_make_one_call()
    {
        var gate = new TaskCompletionSource();
        _ecr.Gate = gate.Task;
        var pending = Enumerable.Range(0, 100).Select(_ => GetAsync().AsTask()).ToList();
        gate.SetResult();
        Assert.That((await Task.WhenAll(pending)).Select(credential => credential!.Password).Distinct().Count(), Is.EqualTo(1));
        Assert.That(_ecr.Calls, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task A_cancelled_caller_does_not_end_the_call_for_others()
    {
        var gate = new TaskCompletionSource();
        _ecr.Gate = gate.Task;
        using var impatience = new CancellationTokenSource();
        var impatient = _source.GetAsync(Image(_ecr.Registry), impatience.Token).AsTask();
        var patient = GetAsync().AsTask();
        await impatience.CancelAsync();
        Assert.That(async () => await impatient, Throws.InstanceOf<OperationCanceledException>());
        gate.SetResult();
        Assert.That(await patient, Is.Not.Null);
        Assert.That(_ecr.Calls, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task A_rejected_password_is_replaced_once_for_all_who_had_it()
    {
        var rejected = (await GetAsync())!;
        var renewed = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => RenewAsync(rejected)));
        Assert.That(renewed.Select(credential => credential!.Password).Distinct(), Is.EqualTo(new[] { "ecr-password-2-of-123456789012" }));
    }

    [Test]
    public async Task Repeated_rejections_do_not_cause_repeated_calls()
    {
        var second = (await RenewAsync((await GetAsync())!))!;
        Assert.That(await RenewAsync(second), Is.EqualTo(second), "there is no other yet");
        _time.Advance(TimeSpan.FromSeconds(30));
        Assert.That((await RenewAsync(second))!.Password, Does.StartWith("ecr-password-3-"));
    }

    [Test]
    public async Task While_the_old_password_is_valid_a_failed_renewal_has_no_effect()
    {
        var first = await GetAsync();
        _time.Advance(TimeSpan.FromHours(12) - TimeSpan.FromMinutes(1));
        _ecr.RespondAlways("GetAuthorizationToken", FakeEcrResponses.AccessDenied);
        Assert.That(await GetAsync(), Is.EqualTo(first));
        _time.Advance(TimeSpan.FromMinutes(2));
        Assert.That(async () => await GetAsync(), Throws.InstanceOf<RegistryCredentialException>());
        _ecr.RespondAlways("GetAuthorizationToken", null);
        Assert.That(await GetAsync(), Is.Not.Null, "a failure is not kept");
    }

    [Test]
    public void What_AWS_denies_is_reported_with_the_host_and_in_its_own_words()
    {
        _ecr.RespondAlways("GetAuthorizationToken", FakeEcrResponses.AccessDenied);
        var fault = Assert.ThrowsAsync<RegistryCredentialException>(async () => await GetAsync())!;
        Assert.That(
            fault.Message,
            Does.StartWith(
                "ecr: cannot get a password for 123456789012.dkr.ecr.eu-central-1.amazonaws.com: "
                    + "ecr:GetAuthorizationToken: 400 AccessDeniedException: User: arn:aws:sts::"
            )
        );
        Assert.That(fault.ToString(), Does.Not.Contain(_ecr.Principal.SecretAccessKey).And.Not.Contain(_ecr.Principal.SessionToken));
    }

    [Test]
    public async Task Two_accounts_work_side_by_side()
    {
        var other = new AwsPrincipal("AKIAOFANOTHER0000000", "another-secret") { Account = "210987654321" };
        _ecr.Principals[other.AccessKeyId] = _profiles["other"] = other;
        const string otherHost = "210987654321.dkr.ecr.eu-central-1.amazonaws.com";
        var source = Source((otherHost, new EcrAccount("other", null, IsRequired: true)));
        foreach (
            var (host, account) in new[] { (_ecr.Registry, "123456789012"), (otherHost, "210987654321"), (_ecr.Registry, "123456789012") }
        )
            Assert.That((await source.GetAsync(Image(host), default))!.Password, Does.EndWith($"-of-{account}"));
        Assert.That(_ecr.Calls, Has.Count.EqualTo(2));
    }

    [Test]
    public async Task A_host_with_a_name_of_its_own_is_opened_by_what_is_reported_of_it()
    {
        var source = Source(("images.example.com", new EcrAccount(null, "eu-central-1", IsRequired: true)));
        Assert.That(await source.GetAsync(Image("images.example.com"), default), Is.Not.Null);
    }

    [Test]
    public async Task Without_an_identity_the_public_registry_is_queried_as_anonymous_which_is_reported_once_and_looked_for_again_later()
    {
        _profiles[""] = null;
        var image = Image("public.ecr.aws");
        Assert.That(
            (await _source.GetAsync(image, default), await _source.GetAsync(image, default)),
            Is.EqualTo(((RegistryCredential?)null, (RegistryCredential?)null))
        );
        Assert.That(_log.Lines.Select(line => line.Text), Is.EqualTo(new[] { "No AWS identity found: using public.ecr.aws anonymously" }));
        _profiles[""] = _ecr.Principal;
        Assert.That(await _source.GetAsync(image, default), Is.Null);
        _time.Advance(TimeSpan.FromMinutes(5));
        Assert.That(await _source.GetAsync(image, default), Is.Not.Null);
    }

    [Test]
    public void Without_an_identity_a_private_registry_is_an_error_since_it_knows_no_anonymous()
    {
        _profiles[""] = null;
        Assert.That(
            async () => await GetAsync(),
            Throws
                .InstanceOf<RegistryCredentialException>()
                .With.Message.EqualTo("ecr: no AWS identity found for 123456789012.dkr.ecr.eu-central-1.amazonaws.com")
        );
    }

    [Test]
    public async Task Who_may_not_ask_for_the_public_registrys_token_asks_it_as_anonymous_which_is_reported_once()
    {
        _ecr.RespondAlways("GetAuthorizationToken", FakeEcrResponses.AccessDenied);
        Assert.That(await _source.GetAsync(Image("public.ecr.aws"), default), Is.Null);
        Assert.That(await _source.GetAsync(Image("public.ecr.aws"), default), Is.Null);
        Assert.That(
            _log.Lines.Single().Text,
            Does.StartWith("Using public.ecr.aws anonymously: ecr:GetAuthorizationToken: 400 AccessDeniedException")
        );
        var required = Source(("public.ecr.aws", new EcrAccount(null, null, IsRequired: true)));
        Assert.That(
            async () => await required.GetAsync(Image("public.ecr.aws"), default),
            Throws.InstanceOf<RegistryCredentialException>()
        );
    }

    private ValueTask<RegistryCredential?> GetAsync() => _source.GetAsync(Image(_ecr.Registry), default);

    private Task<RegistryCredential?> RenewAsync(RegistryCredential rejected) =>
        _source.RenewAsync(Image(_ecr.Registry), rejected, default).AsTask();

    private static ImageReference Image(string host) => ImageReference.Parse($"{host}/team/app");

    private EcrCredentialSource Source(params (string Host, EcrAccount Account)[] accounts) =>
        new(
            accounts.ToDictionary(entry => RegistryName.Parse(entry.Host), entry => entry.Account),
            (host, profile, _) => Task.FromResult(ClientOf(host, profile)),
            _time,
            new Microsoft.Extensions.Logging.Logger<EcrCredentialSource>(_log)
        );

    private EcrClient? ClientOf(EcrHost host, string? profile) =>
        _profiles[profile ?? ""] is not { } principal
            ? null
            : new EcrClient(
                host with
                {
                    ApiEndpoint = _ecr.Endpoint,
                },
                principal.SessionToken is { } session
                    ? new SessionAWSCredentials(principal.AccessKeyId, principal.SecretAccessKey, session)
                    : new BasicAWSCredentials(principal.AccessKeyId, principal.SecretAccessKey)
            );
}
