using ProxySwapper.Testing.Clouds;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.IntegrationTests.RegistryCache;

/// <summary>
/// The output of the rendered script for upstreams at Amazon and Azure, with a sidecar as configured by the chart; Google's is tested
/// end to end.
/// </summary>
[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class CloudSidecarTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Test]
    public async Task A_cache_of_ECR_gets_its_password()
    {
        await using var ecr = await FakeEcr.StartAsync();
        await using var identities = await AwsIdentityEndpoints.StartAsync(ecr.Principal);
        _folder.Write("token", AwsIdentityEndpoints.ServiceAccountToken);
        const string host = "localhost:5555";
        using var cache = await RenderedCache.CreateAsync("amazon-alias", host, "cache-clouds");
        using var sidecar = await StartAsync(
            cache,
            new()
            {
                ["AWS_ROLE_ARN"] = AwsIdentityEndpoints.Role,
                ["AWS_WEB_IDENTITY_TOKEN_FILE"] = _folder.PathOf("token"),
                ["AWS_REGION"] = "eu-central-1",
                ["AWS_ENDPOINT_URL_STS"] = identities.Address,
                ["AWS_ENDPOINT_URL_ECR"] = ecr.Endpoint.AbsoluteUri,
            }
        );
        foreach (var _ in new[] { "first", "kept" })
            Assert.That(
                await RunHelperAsync(cache, host),
                Is.EqualTo($$"""{"ServerURL":"{{host}}","Username":"AWS","Secret":"ecr-password-1-of-123456789012"}"""),
                sidecar.Output
            );
        Assert.That((ecr.Calls.Count, sidecar.Output.Contains("ecr-password", StringComparison.Ordinal)), Is.EqualTo((1, false)));
    }

    [Test]
    public async Task A_denial_by_AWS_is_an_error_of_the_script_and_shows_in_the_log()
    {
        await using var ecr = await FakeEcr.StartAsync();
        ecr.RespondAlways("GetAuthorizationToken", FakeEcrResponses.AccessDenied);
        const string host = "localhost:5555";
        using var cache = await RenderedCache.CreateAsync("amazon-alias", host, "cache-clouds");
        using var sidecar = await StartAsync(
            cache,
            new()
            {
                ["AWS_ACCESS_KEY_ID"] = ecr.Principal.AccessKeyId,
                ["AWS_SECRET_ACCESS_KEY"] = ecr.Principal.SecretAccessKey,
                ["AWS_SESSION_TOKEN"] = ecr.Principal.SessionToken!,
                ["AWS_ENDPOINT_URL_ECR"] = ecr.Endpoint.AbsoluteUri,
            }
        );
        var (exitCode, output, _) = await TestProcess.RunAsync(cache.Helper, ["get"], null, host);
        Assert.That((exitCode, output), Is.EqualTo((1, $"the credential sidecar has no credential for {host}; its log says why\n")));
        Assert.That(
            sidecar.Output,
            Does.Contain("is not authorized to perform: ecr:GetAuthorizationToken").And.Not.Contain(ecr.Principal.SecretAccessKey)
        );
    }

    [Test]
    public async Task A_cache_of_Azure_gets_its_refresh_token()
    {
        using var certificates = new TestCertificates();
        _folder.Write("ca.crt", certificates.AuthorityPem);
        _folder.Write("token", AzureCloud.FederatedToken);
        await using var azure = await AzureCloud.StartAsync(certificates.IssueServer());
        using var cache = await RenderedCache.CreateAsync("azure", azure.Address, "cache-clouds");
        using var sidecar = await StartAsync(
            cache,
            new()
            {
                ["AZURE_FEDERATED_TOKEN_FILE"] = _folder.PathOf("token"),
                ["AZURE_CLIENT_ID"] = AzureCloud.Client,
                ["AZURE_TENANT_ID"] = AzureCloud.Tenant,
                ["AZURE_AUTHORITY_HOST"] = azure.Authority,
                ["SSL_CERT_FILE"] = _folder.PathOf("ca.crt"),
            }
        );
        Assert.That(
            await RunHelperAsync(cache, azure.Address),
            Does.StartWith($$"""{"ServerURL":"{{azure.Address}}","Username":"00000000-0000-0000-0000-000000000000","Secret":"eyJ"""),
            sidecar.Output
        );
        Assert.That((azure.Exchanges.Count, sidecar.Output.Contains("eyJ", StringComparison.Ordinal)), Is.EqualTo((1, false)));
    }

    private static async Task<string> RunHelperAsync(RenderedCache cache, string host)
    {
        var (_, output, error) = await TestProcess.RunAsync(cache.Helper, ["get"], null, host);
        return (output + error).Trim();
    }

    private static async Task<TestProcess> StartAsync(RenderedCache cache, Dictionary<string, string> environment)
    {
        var sidecar = ProxySwapperProgram.Start(
            ["credential", "serve", "--config", cache.CredentialsFile, "--port", $"{cache.CredentialPort}"],
            [.. environment.Select(pair => (pair.Key, (string?)pair.Value)), ("HOME", Path.GetTempPath())]
        );
        using var management = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{cache.ManagementPort}") };
        await TestWait.UntilAsync(
            async () =>
            {
                if (sidecar.HasExited)
                    throw new InvalidOperationException($"credential serve ended: {sidecar.Output}");
                try
                {
                    using var response = await management.GetAsync("/readyz");
                    return response.IsSuccessStatusCode;
                }
                catch (HttpRequestException)
                {
                    return false;
                }
            },
            "the sidecar's readiness"
        );
        return sidecar;
    }
}
