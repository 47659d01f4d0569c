using ProxySwapper.Testing.Clouds;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Registries;

namespace ProxySwapper.IntegrationTests.Credentials;

/// <summary>
/// <c>proxyswapper copy</c> to a real registry that only accepts ECR's passwords, with each identity that the AWS SDK finds: they are
/// environment variables, so the built program runs.
/// </summary>
[TestFixture, NeedsServer]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class EcrTests : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private FakeEcr _ecr = null!;
    private AwsIdentityEndpoints _identities = null!;
    private DebianRegistry _source = null!;
    private EcrRegistry _target = null!;
    private TestImage _image = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _ecr = await FakeEcr.StartAsync();
        _identities = await AwsIdentityEndpoints.StartAsync(_ecr.Principal);
        (_source, _target) = (await DebianRegistry.StartAsync(), await EcrRegistry.StartAsync(_ecr));
        _image = TestImage.Create(1, layers: 3, layerSize: 100_000);
        await _image.PushAsync(_source.Address, "team/app", "1");
    }

    public async ValueTask DisposeAsync()
    {
        await _source.DisposeAsync();
        await _target.DisposeAsync();
        await _identities.DisposeAsync();
        await _ecr.DisposeAsync();
        _folder.Dispose();
    }

    [Test]
    public async Task Keys_in_the_environment_are_used() => await CopyAsAsync("", Environment());

    [Test]
    public async Task A_profile_is_used_for_its_host_only()
    {
        var other = new AwsPrincipal("AKIAOFANOTHER0000000", "another-secret") { Account = "210987654321" };
        _ecr.Principals[other.AccessKeyId] = other;
        var credentials = _folder.Write(
            "credentials",
            $"[default]\naws_access_key_id = {other.AccessKeyId}\naws_secret_access_key = {other.SecretAccessKey}\n"
                + $"[team]\naws_access_key_id = {_ecr.Principal.AccessKeyId}\naws_secret_access_key = "
                + $"{_ecr.Principal.SecretAccessKey}\naws_session_token = {_ecr.Principal.SessionToken}\n"
        );
        await using var second = await EcrRegistry.StartAsync(_ecr);
        var configuration = _folder.Write(
            "config.yaml",
            $$"""
            registries:
              - {host: "{{_target.Address}}", auth: ecr, region: eu-central-1, awsProfile: team}
              - {host: "{{second.Address}}", auth: ecr, region: eu-central-1}
            """
        );
        await CopyAsync(
            $"{_source.Address}/team/app:1",
            $"{_target.Address}/team/app:1",
            configuration,
            ("AWS_SHARED_CREDENTIALS_FILE", credentials)
        );
        await CopyAsync(
            $"{_target.Address}/team/app:1",
            $"{second.Address}/team/app:1",
            configuration,
            ("AWS_SHARED_CREDENTIALS_FILE", credentials)
        );
        Assert.That(await second.DigestAsync("team/app", "1"), Is.EqualTo(_image.Top.Digest.ToString()));
        // The second copy authenticates to both hosts.
        Assert.That(
            _ecr.Calls.Select(call => call.Principal.Account),
            Is.EquivalentTo(new[] { "123456789012", "123456789012", "210987654321" })
        );
    }

    [Test]
    public async Task A_service_accounts_role_is_used() =>
        await CopyAsAsync(
            "sts",
            ("AWS_ROLE_ARN", AwsIdentityEndpoints.Role),
            ("AWS_WEB_IDENTITY_TOKEN_FILE", _folder.Write("token", AwsIdentityEndpoints.ServiceAccountToken)),
            ("AWS_ENDPOINT_URL_STS", _identities.Address),
            ("AWS_REGION", "eu-central-1")
        );

    [Test]
    public async Task A_Pod_Identity_is_used() =>
        await CopyAsAsync(
            "pod",
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", $"{_identities.Address}/v1/credentials"),
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", _folder.Write("token", AwsIdentityEndpoints.PodToken))
        );

    [Test]
    public async Task An_instances_role_is_used() =>
        await CopyAsAsync("instance", ("AWS_EC2_METADATA_SERVICE_ENDPOINT", _identities.Address));

    [TestCase("source_profile = base", "sts")]
    [TestCase("credential_source = Environment", "sts")]
    [TestCase("credential_source = EcsContainer", "podsts")]
    [TestCase("credential_source = Ec2InstanceMetadata", "instancests")]
    [TestCase("web_identity_token_file = TOKEN", "sts")]
    public async Task A_profiles_role_is_used_with_its_source_keys(string source, string by)
    {
        _identities.Holder = AwsIdentityEndpoints.Caller;
        var caller = AwsIdentityEndpoints.Caller;
        var profiles = _folder.Write(
            "config",
            $"""
            [profile base]
            aws_access_key_id = {caller.AccessKeyId}
            aws_secret_access_key = {caller.SecretAccessKey}
            aws_session_token = {caller.SessionToken}
            [profile team]
            role_arn = {AwsIdentityEndpoints.Role}
            {source.Replace("TOKEN", _folder.Write("token", AwsIdentityEndpoints.ServiceAccountToken), StringComparison.Ordinal)}

            """
        );
        List<(string Name, string? Value)> environment =
        [
            ("AWS_CONFIG_FILE", profiles),
            ("AWS_REGION", AwsIdentityEndpoints.Region),
            ("AWS_ENDPOINT_URL_STS", _identities.Address),
        ];
        switch (source.Split(' ')[^1])
        {
            case "Environment":
                environment.AddRange([
                    ("AWS_ACCESS_KEY_ID", caller.AccessKeyId),
                    ("AWS_SECRET_ACCESS_KEY", caller.SecretAccessKey),
                    ("AWS_SESSION_TOKEN", caller.SessionToken),
                ]);
                break;
            case "EcsContainer":
                environment.Add(("AWS_CONTAINER_CREDENTIALS_FULL_URI", $"{_identities.Address}/v1/credentials"));
                environment.Add(("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", _folder.Write("pod-token", AwsIdentityEndpoints.PodToken)));
                break;
            case "Ec2InstanceMetadata":
                environment.Add(("AWS_EC2_METADATA_SERVICE_ENDPOINT", _identities.Address));
                break;
        }
        await CopyAsAsync(by, Configuration(", awsProfile: team"), [.. environment]);
    }

    [Test]
    public async Task A_password_that_ends_during_a_copy_is_renewed_once()
    {
        _target.PasswordsEndAfter = 3;
        await CopyAsync($"{_source.Address}/team/app:1", $"{_target.Address}/team/app:1", Configuration(), Environment());
        Assert.That((_ecr.Calls.Count, _target.Rejected > 0), Is.EqualTo((2, true)), "however many were under way and rejected");
        Assert.That(await _target.DigestAsync("team/app", "1"), Is.EqualTo(_image.Top.Digest.ToString()));
    }

    [Test]
    public async Task Without_an_identity_a_host_configured_for_ECR_is_an_error_and_Dockers_login_is_not_tried()
    {
        _identities.InstanceHasRole = false;
        _folder.Write("config.json", $$"""{"auths": {"{{_target.Address}}": {"auth": "dXNlcjpwYXNzd29yZA=="} } }""");
        var result = await RunAsync(
            $"{_source.Address}/team/app:1",
            $"{_target.Address}/team/app:1",
            Configuration(),
            ("DOCKER_CONFIG", Path.GetDirectoryName(_folder.PathOf("x"))),
            ("AWS_EC2_METADATA_SERVICE_ENDPOINT", _identities.Address)
        );
        Assert.That((result.ExitCode, result.Error.Trim()), Is.EqualTo((1, $"ecr: no AWS identity found for {_target.Address}")));
        Assert.That(_target.Rejected, Is.Zero);
    }

    [Test]
    public async Task A_profile_that_is_missing_is_an_error_that_names_it()
    {
        var result = await RunAsync(
            $"{_source.Address}/team/app:1",
            $"{_target.Address}/team/app:1",
            _folder.Write(
                "config.yaml",
                $"registries: [{{host: '{_target.Address}', auth: ecr, region: eu-central-1, awsProfile: nobody}}]\n"
            ),
            Environment()
        );
        Assert.That((result.ExitCode, result.Error.Contains("nobody", StringComparison.Ordinal)), Is.EqualTo((1, true)), result.Error);
        Assert.That(_ecr.Calls, Is.Empty, "nobody else is taken instead");
    }

    [Test]
    public async Task A_role_that_may_not_be_assumed_is_an_error_without_its_token()
    {
        var result = await RunAsync(
            $"{_source.Address}/team/app:1",
            $"{_target.Address}/team/app:1",
            Configuration(),
            ("AWS_ROLE_ARN", AwsIdentityEndpoints.Role),
            ("AWS_WEB_IDENTITY_TOKEN_FILE", _folder.Write("token", "another-secret-token")),
            ("AWS_ENDPOINT_URL_STS", _identities.Address),
            ("AWS_REGION", "eu-central-1")
        );
        Assert.That(result.ExitCode, Is.EqualTo(1));
        Assert.That(
            result.Error,
            Does.StartWith($"ecr: cannot get a password for {_target.Address}: ")
                .And.Contain(AwsIdentityEndpoints.Role)
                .And.Contain("InvalidIdentityToken: No OpenIDConnect provider found in your account")
                .And.Not.Contain("another-secret-token")
        );
    }

    private Task CopyAsAsync(string by, params (string Name, string? Value)[] environment) => CopyAsAsync(by, Configuration(), environment);

    private async Task CopyAsAsync(string by, string configuration, (string Name, string? Value)[] environment)
    {
        await CopyAsync($"{_source.Address}/team/app:1", $"{_target.Address}/team/app:1", configuration, environment);
        Assert.That(await _target.DigestAsync("team/app", "1"), Is.EqualTo(_image.Top.Digest.ToString()));
        Assert.That(
            _ecr.Calls.Select(call => (call.Operation, call.Region, call.Principal)),
            Is.EqualTo(new[] { ("GetAuthorizationToken", "eu-central-1", _ecr.Principal) })
        );
        Assert.That((string.Concat(_identities.Given.Distinct()), _ecr.Rejections.Count, _target.Rejected), Is.EqualTo((by, 0, 0)));
    }

    private async Task CopyAsync(string source, string target, string configuration, params (string Name, string? Value)[] environment)
    {
        var result = await RunAsync(source, target, configuration, environment);
        Assert.That(result.ExitCode, Is.Zero, result.Output + result.Error);
        Assert.That(result.Output + result.Error, Does.Not.Contain("ecr-password").And.Not.Contain(_ecr.Principal.SecretAccessKey));
    }

    private Task<(int ExitCode, string Output, string Error)> RunAsync(
        string source,
        string target,
        string configuration,
        params (string Name, string? Value)[] environment
    ) =>
        ProxySwapperProgram.RunAsync(
            ["copy", source, target, "--config", configuration],
            [
                ("AWS_ENDPOINT_URL_ECR", _ecr.Endpoint.AbsoluteUri),
                ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:9"),
                ("HOME", Path.GetDirectoryName(_folder.PathOf("x"))),
                .. environment,
            ]
        );

    private (string Name, string? Value)[] Environment() =>
        [
            ("AWS_ACCESS_KEY_ID", _ecr.Principal.AccessKeyId),
            ("AWS_SECRET_ACCESS_KEY", _ecr.Principal.SecretAccessKey),
            ("AWS_SESSION_TOKEN", _ecr.Principal.SessionToken),
        ];

    private string Configuration(string more = "") =>
        _folder.Write("config.yaml", $"registries: [{{host: '{_target.Address}', auth: ecr, region: eu-central-1{more}}}]\n");
}
