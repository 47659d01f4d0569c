using Microsoft.AspNetCore.Http;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Testing.Clouds;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Registries;

namespace ProxySwapper.IntegrationTests.Credentials;

/// <summary>
/// <c>proxyswapper copy</c> with the clouds' real host names and no configuration: the built program reaches them through a proxy from its
/// environment, with TLS.
/// </summary>
[TestFixture, NeedsServer]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class CloudHostTests : IAsyncDisposable
{
    private const string Private = "123456789012.dkr.ecr.eu-central-1.amazonaws.com";
    private const string DualStack = "123456789012.dkr-ecr.eu-central-1.on.aws";
    private const string Public = "public.ecr.aws";

    private readonly TemporaryFolder _folder = new();
    private readonly TestCertificates _certificates = new();
    private readonly TunnelProxy _proxy = new();
    private readonly TestImage _image = TestImage.Create(1);
    private FakeEcr _ecr = null!;
    private DebianRegistry _open = null!;
    private EcrRegistry _private = null!;
    private InMemoryRegistry _public = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _folder.Write("ca.crt", _certificates.AuthorityPem);
        _ecr = await FakeEcr.StartAsync();
        _open = await DebianRegistry.StartAsync();
        _private = await EcrRegistry.StartAsync(_ecr, _certificates.IssueServer(Private, DualStack));
        _public = await InMemoryRegistry.StartAsync(
            new InMemoryRegistryOptions { Certificate = _certificates.IssueServer(Public), Interceptor = ServePublicAsync }
        );
        _image.AddTo(_public, "team/app", "1");
        await _image.PushAsync(_open.Address, "team/app", "1");
        foreach (var host in new[] { Private, DualStack })
            _proxy.Map(host, _private.Address);
        _proxy.Map(Public, _public.Address);
    }

    public async ValueTask DisposeAsync()
    {
        await _proxy.DisposeAsync();
        await _private.DisposeAsync();
        await _public.DisposeAsync();
        await _open.DisposeAsync();
        await _ecr.DisposeAsync();
        _certificates.Dispose();
        _folder.Dispose();
    }

    [TestCase(Private)]
    [TestCase(DualStack)]
    public async Task The_name_determines_the_cloud_and_the_region(string host)
    {
        var result = await CopyAsync($"{_open.Address}/team/app:1", $"{host}/team/app:1", Identity());
        Assert.That(result.ExitCode, Is.Zero, result.Error);
        Assert.That(await _private.DigestAsync("team/app", "1"), Is.EqualTo(_image.Top.Digest.ToString()));
        Assert.That(
            _ecr.Calls.Select(call => (call.Operation, call.Region)),
            Is.EqualTo(new[] { ("GetAuthorizationToken", "eu-central-1") })
        );
        Assert.That(_proxy.Requested, Has.Some.EqualTo(host));
    }

    [Test]
    public async Task A_login_of_Dockers_comes_before_the_cloud()
    {
        _ecr.Passwords["password-of-a-login"] = _ecr.Principal;
        var login = Convert.ToBase64String("AWS:password-of-a-login"u8);
        _folder.Write("config.json", $$"""{"auths": {"{{Private}}": {"auth": "{{login}}"} } }""");
        var result = await CopyAsync(
            $"{_open.Address}/team/app:1",
            $"{Private}/team/app:1",
            [("DOCKER_CONFIG", Path.GetDirectoryName(_folder.PathOf("x"))), .. Identity()]
        );
        Assert.That((result.ExitCode, _ecr.Calls.Count), Is.EqualTo((0, 0)), result.Error);
    }

    [Test]
    public async Task A_public_image_is_copied_without_an_identity_which_is_reported_once()
    {
        var result = await CopyAsync($"{Public}/team/app:1", $"{_open.Address}/copy:1");
        Assert.That(result.ExitCode, Is.Zero, result.Error);
        Assert.That(result.Error.Split("No AWS identity found: using public.ecr.aws anonymously"), Has.Length.EqualTo(2), result.Error);
        Assert.That(_ecr.Calls, Is.Empty);
    }

    [Test]
    public async Task A_public_image_is_copied_with_the_token_of_an_identity()
    {
        var result = await CopyAsync($"{Public}/team/app:1", $"{_open.Address}/copy:1", Identity());
        Assert.That(result.ExitCode, Is.Zero, result.Error);
        Assert.That(_ecr.Calls.Select(call => (call.Operation, call.Region)), Is.EqualTo(new[] { ("GetAuthorizationToken", "us-east-1") }));
    }

    /// <summary>Public ECR issues a token to everyone, and requires one.</summary>
    private static Task ServePublicAsync(HttpContext context, RequestDelegate registry)
    {
        if (context.Request.Path == "/token/")
            return context.Response.WriteAsync("""{"token":"token-of-the-public"}""");
        return context.Request.Headers.Authorization == "Bearer token-of-the-public"
            ? registry(context)
            : RegistryFaults.Status(
                401,
                "UNAUTHORIZED",
                "Not Authorized",
                ("WWW-Authenticate", $"Bearer realm=\"https://{Public}/token/\",service=\"{Public}\",scope=\"aws\"")
            )(context, registry);
    }

    private (string Name, string? Value)[] Identity() =>
        [
            ("AWS_ACCESS_KEY_ID", _ecr.Principal.AccessKeyId),
            ("AWS_SECRET_ACCESS_KEY", _ecr.Principal.SecretAccessKey),
            ("AWS_SESSION_TOKEN", _ecr.Principal.SessionToken),
        ];

    private Task<(int ExitCode, string Output, string Error)> CopyAsync(
        string source,
        string target,
        params (string Name, string? Value)[] environment
    ) =>
        ProxySwapperProgram.RunAsync(
            ["copy", source, target, "--debug"],
            [
                ("https_proxy", _proxy.Address),
                ("SSL_CERT_FILE", _folder.PathOf("ca.crt")),
                ("HOME", Path.GetDirectoryName(_folder.PathOf("x"))),
                ("AWS_EC2_METADATA_DISABLED", "true"),
                ("AWS_ENDPOINT_URL_ECR", _ecr.Endpoint.AbsoluteUri),
                ("AWS_ENDPOINT_URL_ECR_PUBLIC", _ecr.Endpoint.AbsoluteUri),
                .. environment,
            ]
        );
}
