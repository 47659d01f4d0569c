using Azure.Core;
using Azure.Identity;
using Microsoft.Extensions.Logging;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Clouds.Azure;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Registry.Distribution;
using ProxySwapper.Testing.Clouds;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Registries;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Registry.Clouds.Azure;

/// <summary>The source against an in-process registry; finding an identity is tested with the built program.</summary>
[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class AzureCredentialSourceTests : IAsyncDisposable
{
    private readonly SkippingTimeProvider _time = new(TimeSpan.FromSeconds(15));
    private readonly CapturedLog _log = new();
    private static readonly AzureAccount Own = new(null, null, IsRequired: true);

    private readonly Dictionary<string, string> _environment = [];
    private readonly Identity _identity = new();
    private AzureCloud _azure = null!;
    private RegistryClients _clients = null!;
    private AzureCredentialSource _source = null!;

    [SetUp]
    public async Task Start()
    {
        _azure = await AzureCloud.StartAsync(time: _time);
        _clients = new RegistryClients(
            new RegistryOptions
            {
                Hosts = new Dictionary<RegistryName, RegistryHostOptions>
                {
                    [RegistryName.Parse(_azure.Address)] = new() { PlainHttp = true },
                },
            },
            _time,
            _log
        );
        _source = Source(Own);
    }

    public ValueTask DisposeAsync()
    {
        _clients.Dispose();
        _log.Dispose();
        return _azure.DisposeAsync();
    }

    [TestCase("team.azurecr.io", true)]
    [TestCase("team.azurecr.cn", true)]
    [TestCase("team.azurecr.us", true)]
    [TestCase("azurecr.io", false)]
    [TestCase("team.azurecr.io.example.com", false)]
    public void Azures_hosts_are_known(string host, bool isAzure) =>
        Assert.That(AzureCredentialSource.IsAzure(RegistryName.Parse(host)), Is.EqualTo(isAzure));

    [Test]
    public async Task Other_hosts_are_for_other_sources() => Assert.That(await _source.GetAsync(Image("quay.io"), default), Is.Null);

    [Test]
    public async Task An_Entra_token_is_exchanged_for_the_registrys_refresh_token()
    {
        _environment["AZURE_TENANT_ID"] = AzureCloud.Tenant;
        _source = Source(Own);
        Assert.That((await GetAsync())!.IdentityToken, Does.StartWith("eyJ"));
        Assert.That(
            _azure.Exchanges.Single(),
            Is.EquivalentTo(
                new Dictionary<string, string>
                {
                    ["grant_type"] = "access_token",
                    ["service"] = _azure.Address,
                    ["access_token"] = $"{AzureCloud.EntraToken}-{AzureCloud.Client}",
                    ["tenant"] = AzureCloud.Tenant,
                }
            )
        );
        Assert.That(_identity.Scopes, Is.EqualTo(new[] { "https://containerregistry.azure.net/.default" }));
    }

    [Test]
    public async Task A_registry_is_read_with_it()
    {
        var image = TestImage.Create(1);
        image.AddTo(_azure.Registry, "team", "1");
        Assert.That(
            (await _clients.For(RegistryName.Parse(_azure.Address), _source).HeadManifestAsync("team", "1", default))!.Digest,
            Is.EqualTo(image.Top.Digest)
        );
    }

    [Test]
    public async Task A_token_that_the_registry_takes_no_longer_is_exchanged_again()
    {
        var image = TestImage.Create(1);
        image.AddTo(_azure.Registry, "team", "1");
        var client = _clients.For(RegistryName.Parse(_azure.Address), _source);
        await client.HeadManifestAsync("team", "1", default);
        _azure.Revoke();
        Assert.That((await client.HeadManifestAsync("team", "1", default))!.Digest, Is.EqualTo(image.Top.Digest));
        Assert.That(_azure.Exchanges, Has.Count.EqualTo(2));
    }

    [Test]
    public async Task A_refresh_token_is_kept_until_two_minutes_before_it_ends()
    {
        var first = await GetAsync();
        _time.Advance(TimeSpan.FromHours(3) - TimeSpan.FromMinutes(2) - TimeSpan.FromSeconds(1));
        Assert.That(await GetAsync(), Is.EqualTo(first));
        _time.Advance(TimeSpan.FromSeconds(1));
        // This clock skips the wait for the renewal too, which then continues in the background.
        await TestWait.UntilAsync(async () => await GetAsync() != first, "the renewal");
        Assert.That(_azure.Exchanges, Has.Count.EqualTo(2));
    }

    [Test]
    public async Task A_hundred_concurrent_callers_make_one_exchange()
    {
        var gate = new TaskCompletionSource();
        _azure.Gate = gate.Task;
        var pending = Enumerable.Range(0, 100).Select(_ => GetAsync().AsTask()).ToList();
        gate.SetResult();
        Assert.That((await Task.WhenAll(pending)).Distinct().Count(), Is.EqualTo(1));
        Assert.That(_azure.Exchanges, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task A_service_principal_opens_it_without_an_exchange()
    {
        (_environment["AZURE_SP_ID"], _environment["AZURE_SP_PASSWORD"]) = (AzureCloud.PrincipalId, AzureCloud.PrincipalPassword);
        _source = Source(Own);
        var image = TestImage.Create(1);
        image.AddTo(_azure.Registry, "team", "1");
        Assert.That(
            (await _clients.For(RegistryName.Parse(_azure.Address), _source).HeadManifestAsync("team", "1", default))!.Digest,
            Is.EqualTo(image.Top.Digest)
        );
        Assert.That((_azure.Exchanges.Count, _identity.Calls), Is.EqualTo((0, 0)));
    }

    [Test]
    public async Task A_host_with_an_identity_of_its_own_is_not_opened_by_the_service_principal()
    {
        (_environment["AZURE_SP_ID"], _environment["AZURE_SP_PASSWORD"], _environment["AZURE_TENANT_ID"]) = (
            AzureCloud.PrincipalId,
            AzureCloud.PrincipalPassword,
            AzureCloud.Tenant
        );
        _identity.Token = AzureCloud.EntraToken + "-other";
        var source = Source(new AzureAccount("other", "tenant-of-the-other", IsRequired: true));
        Assert.That((await source.GetAsync(Image(_azure.Address), default))!.IdentityToken, Is.Not.Null);
        Assert.That(
            (_azure.Exchanges.Single()["access_token"], _azure.Exchanges.Single()["tenant"]),
            Is.EqualTo((_identity.Token, "tenant-of-the-other"))
        );
    }

    [Test]
    public async Task Transient_failures_are_retried()
    {
        _azure.NextExchanges.Enqueue(RegistryFaults.TooManyRequests("1"));
        _azure.NextExchanges.Enqueue(RegistryFaults.Unavailable);
        Assert.That(await GetAsync(), Is.Not.Null);
        Assert.That(_azure.Exchanges, Has.Count.EqualTo(3));
    }

    [Test]
    public void A_rejection_is_reported_in_the_registrys_own_words_and_without_the_token()
    {
        _identity.Token = "secret-entra-token";
        var fault = Assert.ThrowsAsync<RegistryCredentialException>(async () => await GetAsync())!;
        Assert.That(
            fault.Message,
            Is.EqualTo(
                $"azure: cannot get a refresh token: POST {_azure.Address}: unauthorized (HTTP 401): UNAUTHORIZED: authentication "
                    + "required, visit https://aka.ms/acr/authorization for more information."
            )
        );
        Assert.That(fault.ToString(), Does.Not.Contain("secret-entra-token"));
        Assert.That(_azure.Exchanges, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task A_redirect_takes_the_token_nowhere()
    {
        await using var elsewhere = await AzureCloud.StartAsync();
        _azure.NextExchanges.Enqueue(RegistryFaults.Redirect($"{elsewhere.Authority}oauth2/exchange"));
        Assert.That(
            async () => await GetAsync(),
            Throws.InstanceOf<RegistryCredentialException>().With.Message.Contain("redirected to http://localhost")
        );
        Assert.That(elsewhere.Exchanges, Is.Empty);
    }

    [TestCase("")]
    [TestCase("[]")]
    [TestCase("{}")]
    [TestCase("{\"refresh_token\":1}")]
    [TestCase("{\"refresh_token\":\"\"}")]
    [TestCase("{\"refresh_token\":\"secret-of-a-test")]
    public void A_broken_response_is_an_error_that_repeats_nothing_of_it(string body)
    {
        _azure.NextExchanges.Enqueue(
            async (context, _) => await context.Response.Body.WriteAsync(System.Text.Encoding.UTF8.GetBytes(body))
        );
        var fault = Assert.ThrowsAsync<RegistryCredentialException>(async () => await GetAsync())!;
        Assert.That(
            fault.Message,
            Is.EqualTo(
                $"azure: cannot get a refresh token: POST {_azure.Address}: HTTP 200: "
                    + "the response does not have the format of Azure's registries"
            )
        );
        Assert.That(fault.ToString(), Does.Not.Contain("secret-of-a-test"));
    }

    [TestCase("opaque")]
    [TestCase("a.b.c")]
    [TestCase("a.e30.c")]
    [TestCase("a.eyJleHAiOjFlMzAwfQ.c")]
    public void A_token_that_does_not_tell_its_end_has_none(string token) => Assert.That(AzureTokenExchange.EndOf(token), Is.Null);

    [Test]
    public async Task Without_an_identity_nothing_is_requested_which_is_reported_once()
    {
        _identity.Fault = new CredentialUnavailableException("none of a test");
        var source = Source(null);
        Assert.That(
            (await source.GetAsync(Image("a.azurecr.io"), default), await source.GetAsync(Image("b.azurecr.io"), default)),
            Is.EqualTo(((RegistryCredential?)null, (RegistryCredential?)null))
        );
        Assert.That(
            _log.Lines.Select(line => line.Text),
            Is.EqualTo(new[] { "No Azure identity found: using Azure's registries anonymously" })
        );
        Assert.That(
            async () => await GetAsync(),
            Throws.InstanceOf<RegistryCredentialException>().With.Message.EqualTo($"azure: no Azure identity found for {_azure.Address}")
        );
    }

    [Test]
    public void An_identity_that_fails_is_an_error_for_every_host()
    {
        _identity.Fault = new AuthenticationFailedException("AADSTS700211: No matching federated identity record");
        Assert.That(
            async () => await Source(null).GetAsync(Image("a.azurecr.io"), default),
            Throws
                .InstanceOf<RegistryCredentialException>()
                .With.Message.EqualTo("azure: cannot get a token for a.azurecr.io: AADSTS700211: No matching federated identity record")
        );
    }

    private ValueTask<RegistryCredential?> GetAsync() => _source.GetAsync(Image(_azure.Address), default);

    private static ImageReference Image(string host) => ImageReference.Parse($"{host}/team/app");

    private AzureCredentialSource Source(AzureAccount? account) =>
        new(
            account is null ? [] : new Dictionary<RegistryName, AzureAccount> { [RegistryName.Parse(_azure.Address)] = account },
            _clients,
            _ => _identity,
            new EnvironmentVariables(_environment),
            _time,
            new Logger<AzureCredentialSource>(_log)
        );

    private sealed class Identity : TokenCredential
    {
        public string Token { get; set; } = $"{AzureCloud.EntraToken}-{AzureCloud.Client}";

        public Exception? Fault { get; set; }

        public int Calls { get; private set; }

        public IReadOnlyList<string> Scopes { get; private set; } = [];

        public override ValueTask<AccessToken> GetTokenAsync(TokenRequestContext requestContext, CancellationToken cancellationToken)
        {
            (Calls, Scopes) = (Calls + 1, requestContext.Scopes);
            return Fault is null ? new(new AccessToken(Token, DateTimeOffset.MaxValue)) : throw Fault;
        }

        public override AccessToken GetToken(TokenRequestContext requestContext, CancellationToken cancellationToken) =>
            throw new NotSupportedException();
    }
}
