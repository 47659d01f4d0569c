using System.Net;
using System.Text.Json.Nodes;
using Amazon.Runtime;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Clouds.Aws;
using ProxySwapper.Testing.Clouds;

namespace ProxySwapper.Tests.Registry.Clouds.Aws;

/// <summary>Against an in-process API that recomputes every signature.</summary>
[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class EcrClientTests : IAsyncDisposable
{
    private FakeEcr _ecr = null!;
    private EcrClient _client = null!;

    [SetUp]
    public async Task Start()
    {
        _ecr = await FakeEcr.StartAsync();
        _client = ClientOf(_ecr.Principal);
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _ecr.DisposeAsync();
    }

    [Test]
    public async Task A_password_comes_with_its_user_and_its_end()
    {
        var authorization = await _client.GetAuthorizationTokenAsync(default);
        Assert.That((authorization.Username, authorization.Password), Is.EqualTo(("AWS", "ecr-password-1-of-123456789012")));
        Assert.That(authorization.ExpiresAt, Is.EqualTo(TimeProvider.System.GetUtcNow().AddHours(12)).Within(TimeSpan.FromMinutes(1)));
        Assert.That(authorization.ToString(), Does.Not.Contain("ecr-password"));
        Assert.That(_ecr.Rejections, Is.Empty);
    }

    [Test]
    public async Task The_public_registry_has_an_API_of_its_own_in_one_region()
    {
        using var client = new EcrClient(
            EcrHost.Parse(RegistryName.Parse("public.ecr.aws"))! with
            {
                ApiEndpoint = _ecr.Endpoint,
            },
            CredentialsOf(_ecr.Principal)
        );
        Assert.That((await client.GetAuthorizationTokenAsync(default)).Username, Is.EqualTo("AWS"));
        Assert.That(_ecr.Calls.Single().Region, Is.EqualTo("us-east-1"));
    }

    [Test]
    public async Task A_user_without_a_session_token_signs_too()
    {
        var user = _ecr.Principals["AKIAOFATEST000000000"] = new AwsPrincipal("AKIAOFATEST000000000", "another-secret");
        using var client = ClientOf(user);
        await client.GetAuthorizationTokenAsync(default);
        Assert.That(_ecr.Calls.Single().Principal, Is.EqualTo(user));
    }

    [Test]
    public async Task A_repository_is_created_with_its_settings()
    {
        var settings = new EcrRepositorySettings
        {
            ImageTagMutability = "IMMUTABLE",
            EncryptionType = "KMS",
            KmsKey = "alias/images",
            ScanOnPush = false,
            Tags = new Dictionary<string, string> { ["team"] = "plätform" },
        };
        var made = await _client.CreateRepositoryAsync("proxy_docker.io/library/nginx", settings, default);
        Assert.That(
            made,
            Is.EqualTo(
                new EcrRepository(
                    "proxy_docker.io/library/nginx",
                    "arn:aws:ecr:eu-central-1:123456789012:repository/proxy_docker.io/library/nginx",
                    HasImmutableTags: true
                )
            )
        );
        Assert.That(
            JsonNode.DeepEquals(
                _ecr.Repositories["proxy_docker.io/library/nginx"],
                JsonNode.Parse(
                    """
                    {
                      "registryId": "123456789012",
                      "repositoryName": "proxy_docker.io/library/nginx",
                      "imageTagMutability": "IMMUTABLE",
                      "imageScanningConfiguration": { "scanOnPush": false },
                      "encryptionConfiguration": { "encryptionType": "KMS", "kmsKey": "alias/images" },
                      "tags": [ { "Key": "team", "Value": "plätform" } ]
                    }
                    """
                )
            ),
            _ecr.Repositories["proxy_docker.io/library/nginx"].ToJsonString()
        );
    }

    [Test]
    public async Task Policies_are_set_as_they_are_written()
    {
        await _client.CreateRepositoryAsync("a/b", new EcrRepositorySettings(), default);
        await _client.PutLifecyclePolicyAsync("a/b", """{"rules":[]}""", default);
        await _client.SetRepositoryPolicyAsync("a/b", """{"Version":"2012-10-17"}""", default);
        var repository = _ecr.Repositories["a/b"];
        Assert.That(
            ((string?)repository["lifecyclePolicyText"], (string?)repository["policyText"]),
            Is.EqualTo(("""{"rules":[]}""", """{"Version":"2012-10-17"}"""))
        );
    }

    [Test]
    public async Task A_repository_that_somebody_else_made_first_is_reported_by_its_code()
    {
        await _client.CreateRepositoryAsync("a/b", new EcrRepositorySettings(), default);
        var fault = Assert.ThrowsAsync<EcrException>(() => _client.CreateRepositoryAsync("a/b", new EcrRepositorySettings(), default))!;
        Assert.That(
            (fault.Operation, fault.Code, fault.Status),
            Is.EqualTo(("CreateRepository", "RepositoryAlreadyExistsException", HttpStatusCode.BadRequest))
        );
        Assert.That(
            fault.Message,
            Is.EqualTo(
                "ecr:CreateRepository: 400 RepositoryAlreadyExistsException: The repository with "
                    + "name 'a/b' already exists in the registry with id '123456789012'"
            )
        );
    }

    [Test]
    public void What_is_not_allowed_is_reported_in_AWSs_own_words()
    {
        _ecr.RespondAlways("CreateRepository", FakeEcrResponses.AccessDenied);
        var fault = Assert.ThrowsAsync<EcrException>(() => _client.CreateRepositoryAsync("a/b", new EcrRepositorySettings(), default))!;
        Assert.That((fault.IsAccessDenied, fault.IsTransient), Is.EqualTo((true, false)));
        Assert.That(
            fault.Message,
            Is.EqualTo(
                "ecr:CreateRepository: 400 AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/of-a-test/session "
                    + "is not authorized to perform: ecr:CreateRepository on resource: "
                    + "arn:aws:ecr:eu-central-1:123456789012:repository/a/b because no identity-based policy allows the "
                    + "ecr:CreateRepository action"
            )
        );
        Assert.That(_ecr.Calls, Has.Count.EqualTo(1), "another request would not help");
    }

    [Test]
    public void A_reached_limit_is_not_transient()
    {
        _ecr.RespondAlways("CreateRepository", FakeEcrResponses.LimitExceeded);
        var fault = Assert.ThrowsAsync<EcrException>(() => _client.CreateRepositoryAsync("a/b", new EcrRepositorySettings(), default))!;
        Assert.That((fault.Code, fault.IsTransient), Is.EqualTo(("LimitExceededException", false)));
    }

    [Test]
    public async Task Transient_failures_are_retried([Values("ThrottlingException", "ServerException")] string code)
    {
        _ecr.RespondNext("GetAuthorizationToken", code == "ThrottlingException" ? FakeEcrResponses.Throttling : FakeEcrResponses.Server);
        Assert.That((await _client.GetAuthorizationTokenAsync(default)).Username, Is.EqualTo("AWS"));
        Assert.That(_ecr.Calls, Has.Count.EqualTo(2));
    }

    [Test]
    public void Persistent_throttling_is_reported_as_transient()
    {
        _ecr.RespondAlways("CreateRepository", FakeEcrResponses.Throttling);
        var fault = Assert.ThrowsAsync<EcrException>(() => _client.CreateRepositoryAsync("a/b", new EcrRepositorySettings(), default))!;
        Assert.That((fault.Code, fault.IsTransient), Is.EqualTo(("ThrottlingException", true)));
    }

    [TestCase("secret-access-key", "InvalidSignatureException")]
    [TestCase("session-token", "UnrecognizedClientException")]
    [TestCase("access-key", "UnrecognizedClientException")]
    [TestCase("end", "ExpiredTokenException")]
    [TestCase("region", "InvalidSignatureException")]
    public void A_wrong_identity_is_reported_without_its_keys(string wrong, string code)
    {
        var principal = wrong switch
        {
            "secret-access-key" => _ecr.Principal with { SecretAccessKey = "wrong-secret" },
            "session-token" => _ecr.Principal with { SessionToken = "wrong-session" },
            "access-key" => _ecr.Principal with { AccessKeyId = "ASIANOBODY0000000000" },
            _ => _ecr.Principal,
        };
        if (wrong == "end")
            _ecr.Principals[principal.AccessKeyId] = principal with { IsExpired = true };
        using var client = ClientOf(principal, wrong == "region" ? "eu-west-1" : "eu-central-1");
        var fault = Assert.ThrowsAsync<EcrException>(() => client.GetAuthorizationTokenAsync(default))!;
        Assert.That((fault.Code, fault.Status), Is.EqualTo((code, HttpStatusCode.Forbidden)));
        Assert.That(fault.ToString(), Does.Not.Contain(principal.SecretAccessKey).And.Not.Contain(principal.SessionToken));
        Assert.That(_ecr.Calls, Is.Empty);
    }

    [TestCase("")]
    [TestCase("{}")]
    [TestCase("[]")]
    [TestCase("null")]
    [TestCase("<html>")]
    [TestCase("{\"authorizationData\":null}")]
    [TestCase("{\"authorizationData\":[]}")]
    [TestCase("{\"authorizationData\":[{}]}")]
    [TestCase("{\"authorizationData\":[{\"authorizationToken\":\"c2VjcmV0LW9mLWEtdGVzdA==\",\"expiresAt\":1}]}")]
    [TestCase("{\"authorizationData\":[{\"authorizationToken\":\"secret-of-a-test!\",\"expiresAt\":1}]}")]
    [TestCase("{\"authorizationData\":[{\"authorizationToken\":\"QVdTOnNlY3JldC1vZi1hLXRlc3Q=\"}]}")]
    [TestCase("{\"authorizationData\":[{\"authorizationToken\":\"QVdTOnNlY3JldC1vZi1hLXRlc3Q=\",\"expiresAt\":1e300}]}")]
    [TestCase("{\"authorizationData\":[{\"authorizationToken\":\"QVdTOnNlY3JldC1vZi1hLXRlc3Q=\",\"expiresAt\":17")]
    public void A_broken_response_is_an_error_that_repeats_nothing_of_it(string body)
    {
        _ecr.RespondAlways("GetAuthorizationToken", _ => new FakeEcrResponse(200, body));
        var fault = Assert.ThrowsAsync<EcrException>(() => _client.GetAuthorizationTokenAsync(default))!;
        Assert.That(fault.Message, Is.EqualTo("ecr:GetAuthorizationToken: 200: the response does not have ECR's format"));
        Assert.That(fault.ToString(), Does.Not.Contain("secret-of-a-test").And.Not.Contain("QVdTOnNl").And.Not.Contain("c2VjcmV0"));
    }

    [Test]
    public void A_tag_that_is_listed_twice_is_a_broken_response()
    {
        _ecr.RespondAlways("ListTagsForResource", _ => new FakeEcrResponse(200, """{"tags":[{"Key":"a","Value":"1"},{"Key":"a"}]}"""));
        Assert.That(
            () => _client.ListTagsAsync("arn", default),
            Throws.TypeOf<EcrException>().With.Message.EndsWith("the response does not have ECR's format")
        );
    }

    [TestCase(400, "<html>Bad Gateway</html>", "400 UnknownError")]
    [TestCase(400, "[1]", "400 UnknownError")]
    [TestCase(413, """{"__type":"com.amazonaws.ecr#TooLarge:http://x/","Message":"too large"}""", "413 TooLarge: too large")]
    public void An_error_of_another_form_is_reported_by_its_status(int status, string body, string expected)
    {
        _ecr.RespondAlways("CreateRepository", _ => new FakeEcrResponse(status, body));
        var fault = Assert.ThrowsAsync<EcrException>(() => _client.CreateRepositoryAsync("a/b", new EcrRepositorySettings(), default))!;
        Assert.That(fault.Message, Is.EqualTo($"ecr:CreateRepository: {expected}"));
    }

    [Test]
    public async Task A_service_that_is_missing_is_reported_as_such()
    {
        await _ecr.DisposeAsync();
        var fault = Assert.ThrowsAsync<EcrException>(() => _client.CreateRepositoryAsync("a/b", new EcrRepositorySettings(), default))!;
        Assert.That((fault.Status, fault.IsTransient), Is.EqualTo(((HttpStatusCode?)null, true)));
        Assert.That(fault.Message, Does.StartWith("ecr:CreateRepository: no response: ").And.Contain("refused"));
    }

    private EcrClient ClientOf(AwsPrincipal principal, string region = "eu-central-1") =>
        new(
            EcrHost.Parse(RegistryName.Parse($"123456789012.dkr.ecr.{region}.amazonaws.com"))! with
            {
                ApiEndpoint = _ecr.Endpoint,
            },
            CredentialsOf(principal)
        );

    private static AWSCredentials CredentialsOf(AwsPrincipal principal) =>
        principal.SessionToken is null
            ? new BasicAWSCredentials(principal.AccessKeyId, principal.SecretAccessKey)
            : new SessionAWSCredentials(principal.AccessKeyId, principal.SecretAccessKey, principal.SessionToken);
}
