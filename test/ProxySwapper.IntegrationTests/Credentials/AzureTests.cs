using ProxySwapper.Testing.Clouds;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Registries;

namespace ProxySwapper.IntegrationTests.Credentials;

/// <summary>
/// <c>proxyswapper copy</c> from a registry like Azure's, with TLS and each identity that a Pod can have: they are environment variables,
/// so the built program runs.
/// </summary>
[TestFixture, NeedsServer]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class AzureTests : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly TestCertificates _certificates = new();
    private readonly TestImage _image = TestImage.Create(1);
    private AzureCloud _azure = null!;
    private DebianRegistry _target = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _folder.Write("ca.crt", _certificates.AuthorityPem);
        _azure = await AzureCloud.StartAsync(_certificates.IssueServer());
        _target = await DebianRegistry.StartAsync();
        _image.AddTo(_azure.Registry, "team", "1");
    }

    public async ValueTask DisposeAsync()
    {
        await _azure.DisposeAsync();
        await _target.DisposeAsync();
        _certificates.Dispose();
        _folder.Dispose();
    }

    [Test]
    public async Task Workload_Identity_is_used()
    {
        var result = await CopyAsync("", WorkloadIdentity(AzureCloud.FederatedToken));
        Assert.That(
            (result.ExitCode, result.Output.Contains($"digest {_image.Top.Digest}\n", StringComparison.Ordinal)),
            Is.EqualTo((0, true)),
            result.Output + result.Error
        );
        Assert.That(_azure.Clients.Distinct(), Is.EqualTo(new[] { AzureCloud.Client }));
        Assert.That(
            _azure.Exchanges.Single(),
            Is.EquivalentTo(
                new Dictionary<string, string>
                {
                    ["grant_type"] = "access_token",
                    ["service"] = _azure.Address,
                    ["tenant"] = AzureCloud.Tenant,
                    ["access_token"] = $"{AzureCloud.EntraToken}-{AzureCloud.Client}",
                }
            )
        );
        Assert.That(result.Output + result.Error, Does.Not.Contain(AzureCloud.EntraToken).And.Not.Contain("eyJ"));
    }

    [Test]
    public async Task A_host_may_have_an_identity_of_its_own()
    {
        var result = await CopyAsync(", azureClientId: another-client", WorkloadIdentity(AzureCloud.FederatedToken));
        Assert.That(result.ExitCode, Is.Zero, result.Output + result.Error);
        Assert.That(_azure.Exchanges.Single()["access_token"], Is.EqualTo($"{AzureCloud.EntraToken}-another-client"));
    }

    [Test]
    public async Task A_service_principal_is_used()
    {
        var result = await CopyAsync("", ("AZURE_SP_ID", AzureCloud.PrincipalId), ("AZURE_SP_PASSWORD", AzureCloud.PrincipalPassword));
        Assert.That(result.ExitCode, Is.Zero, result.Output + result.Error);
        Assert.That(_azure.Exchanges, Is.Empty);
    }

    [Test]
    public async Task A_Pods_token_that_Entra_does_not_take_is_an_error_in_its_words()
    {
        var result = await CopyAsync("", WorkloadIdentity("another-secret-token"));
        Assert.That((result.ExitCode, result.Error.Contains("another-secret-token", StringComparison.Ordinal)), Is.EqualTo((1, false)));
        Assert.That(
            result.Error,
            Does.StartWith($"azure: cannot get a token for {_azure.Address}: ")
                .And.Contain("AADSTS700211: No matching federated identity record found")
        );
    }

    private Task<(int ExitCode, string Output, string Error)> CopyAsync(
        string settings,
        params (string Name, string? Value)[] environment
    ) =>
        ProxySwapperProgram.RunAsync(
            [
                "copy",
                $"{_azure.Address}/team:1",
                $"{_target.Address}/team:1",
                "--config",
                _folder.Write(
                    "config.yaml",
                    $"registries: [{{host: '{_azure.Address}', auth: azure, caFile: {_folder.PathOf("ca.crt")}{settings}}}]\n"
                ),
            ],
            [("HOME", Path.GetDirectoryName(_folder.PathOf("x"))), .. environment]
        );

    /// <summary>
    /// The variables that the webhook of Azure Workload Identity adds to a Pod; the SDK calls Entra itself, and trusts the
    /// system's certificate authorities.
    /// </summary>
    private (string Name, string? Value)[] WorkloadIdentity(string token) =>
        [
            ("AZURE_FEDERATED_TOKEN_FILE", _folder.Write("token", token)),
            ("AZURE_CLIENT_ID", AzureCloud.Client),
            ("AZURE_TENANT_ID", AzureCloud.Tenant),
            ("AZURE_AUTHORITY_HOST", _azure.Authority),
            ("SSL_CERT_FILE", _folder.PathOf("ca.crt")),
        ];
}
