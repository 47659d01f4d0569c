using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using ProxySwapper.Population.Queue;
using ProxySwapper.Population.Transfer;
using ProxySwapper.Registry.InMemory;

namespace ProxySwapper.Tests.Population.Transfer;

/// <summary>Whatever a registry or its token server returns for one tenant's credential, the others' are tried.</summary>
[TestFixture]
internal sealed class CredentialFailureTests
{
    private int _failures;
    private bool _isTokenFailing;
    private bool _isPrivate;
    private Func<HttpContext, Task> _fail = _ => Task.CompletedTask;
    private TransferScene _scene = null!;

    [SetUp]
    public async Task Start()
    {
        (_failures, _isTokenFailing, _isPrivate) = (0, true, false);
        _scene = await TransferScene.StartAsync(new InMemoryRegistryOptions { Interceptor = RespondAsync });
    }

    [TearDown]
    public async Task Stop() => await _scene.DisposeAsync();

    // RFC 6749, 5.2: invalid_grant is a 400. A server that fails inside is tried once more, not for seconds.
    [TestCase(400)]
    [TestCase(405)]
    [TestCase(415)]
    [TestCase(431)]
    [TestCase(500)]
    [TestCase(501)]
    [TestCase(503)]
    public async Task A_token_servers_failure_for_one_tenants_identity_token_does_not_concern_the_others(int status)
    {
        _fail = context => StatusAsync(context, status);
        await AssertCopiedAsync("""{"identitytoken":"junk"}""");
        Assert.That(_failures, Is.InRange(1, 2));
    }

    [Test]
    public async Task An_identity_token_that_no_header_can_have_does_not_concern_the_others()
    {
        _fail = context => StatusAsync(context, 401);
        await AssertCopiedAsync("""{"identitytoken":"a\nb"}""");
    }

    [TestCase("a\\nb")]
    [TestCase("\\u0000")]
    [TestCase("ä")]
    public async Task A_token_that_no_header_can_have_does_not_concern_the_others(string token)
    {
        _fail = context => context.Response.WriteAsync($$"""{"token":"{{token}}"}""");
        await AssertCopiedAsync("""{"identitytoken":"junk"}""");
    }

    [Test]
    public async Task A_token_servers_response_without_a_token_does_not_concern_the_others()
    {
        _fail = context => context.Response.WriteAsync("<html>log in</html>");
        await AssertCopiedAsync("""{"identitytoken":"junk"}""");
    }

    [Test]
    public async Task A_connection_that_a_token_server_closes_does_not_concern_the_others()
    {
        _fail = context =>
        {
            context.Abort();
            return Task.CompletedTask;
        };
        await AssertCopiedAsync("""{"identitytoken":"junk"}""");
    }

    [TestCase(400)]
    [TestCase(431)]
    [TestCase(500)]
    public async Task A_registrys_failure_for_one_tenants_password_does_not_concern_the_others(int status)
    {
        _isTokenFailing = false;
        _fail = context => StatusAsync(context, status);
        await AssertCopiedAsync("""{"username":"u","password":"junk"}""");
        Assert.That(_failures, Is.GreaterThan(0));
    }

    [Test]
    public async Task A_password_of_any_size_is_not_sent()
    {
        _fail = context => StatusAsync(context, 431);
        await AssertCopiedAsync($$"""{"username":"u","password":"{{new string('x', 700_000)}}"}""");
        Assert.That(_failures, Is.Zero);
    }

    [Test]
    public void The_job_fails_with_all_reasons_once_all_credentials_have()
    {
        _isPrivate = true;
        _fail = context => StatusAsync(context, 400);
        _scene.Server.Respond(200, Secret("""{"identitytoken":"junk"}""")).Respond(200, "{}");
        var fault = Assert.CatchAsync(() => RunAsync());
        var failure = FailureClassifier.Read(fault!);
        Assert.That((failure.Kind, failure.Host?.Text), Is.EqualTo((FailureKind.Permanent, _scene.Upstream.Address)));
        Assert.That(
            failure.Message,
            Does.Match(@"bad request \(HTTP 400\): the token server .*; with another credential: .*unauthorized \(HTTP 401\)")
        );
    }

    private async Task AssertCopiedAsync(string junk)
    {
        _scene.Server.Respond(200, Secret(junk)).Respond(200, "{}");
        var result = await RunAsync();
        Assert.That(result.Outcome, Is.EqualTo(TransferOutcome.Copied));
    }

    private Task<TransferResult> RunAsync()
    {
        var transfer = ImageTransfer.Create(
            _scene.Registries,
            _scene.Client,
            () => true,
            () => TimeSpan.FromMinutes(5),
            TimeProvider.System,
            NullLogger<SourceCredentials>.Instance
        );
        return _scene.RunAsync(
            transfer,
            new("hostile", "pod", "default", ["s"]) { Uid = "u" },
            new("team", "pod", "default", []) { Uid = "v" }
        );
    }

    private string Secret(string entry) =>
        PullSecretSamples.Create("s", $$"""{"auths":{"{{_scene.Upstream.Address}}":{{entry}}} }""").ToJsonString();

    /// <summary>A registry with Bearer tokens, which fails or whose token server fails for anybody who is not anonymous.</summary>
    private async Task RespondAsync(HttpContext context, RequestDelegate next)
    {
        var request = context.Request;
        var authorization = request.Headers.Authorization.ToString();
        if (request.Path == "/token")
        {
            if (authorization.Length == 0 && request.Method == HttpMethods.Get)
                await (_isPrivate ? StatusAsync(context, 401) : context.Response.WriteAsync("""{"token":"anonymous"}"""));
            else if (_isTokenFailing)
                await FailAsync(context);
            else
                await context.Response.WriteAsync("""{"token":"junk"}""");
        }
        else if (authorization == "Bearer anonymous")
            await next(context);
        else if (authorization == "Bearer junk")
            await FailAsync(context);
        else
        {
            context.Response.StatusCode = (int)HttpStatusCode.Unauthorized;
            context.Response.Headers.WWWAuthenticate = $"Bearer realm=\"http://{_scene.Upstream.Address}/token\",service=\"x\"";
        }
    }

    private Task FailAsync(HttpContext context)
    {
        Interlocked.Increment(ref _failures);
        return _fail(context);
    }

    private static Task StatusAsync(HttpContext context, int status)
    {
        context.Response.StatusCode = status;
        return Task.CompletedTask;
    }
}
