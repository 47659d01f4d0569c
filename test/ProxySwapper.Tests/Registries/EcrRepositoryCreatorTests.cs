using System.Text.Json.Nodes;
using Amazon.Runtime;
using Microsoft.Extensions.Logging;
using ProxySwapper.Configuration;
using ProxySwapper.Registries;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Clouds.Aws;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Registry.Transport;
using ProxySwapper.Testing.Clouds;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Registries;

/// <summary>Against an in-process API that verifies every signature.</summary>
[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class EcrRepositoryCreatorTests : IAsyncDisposable
{
    private readonly CapturedLog _log = new();
    private FakeEcr _ecr = null!;

    [SetUp]
    public async Task Start() => _ecr = await FakeEcr.StartAsync();

    public async ValueTask DisposeAsync()
    {
        _log.Dispose();
        await _ecr.DisposeAsync();
    }

    [Test]
    public async Task A_repository_is_made_scanned_on_push_and_marked_as_ours()
    {
        Assert.That(await CreateAsync(), Is.True);
        var made = _ecr.Repositories["proxy_docker.io/library/nginx"];
        Assert.That(made["imageScanningConfiguration"]!.ToJsonString(), Is.EqualTo("""{"scanOnPush":true}"""));
        Assert.That(
            ((string?)made["imageTagMutability"], made["encryptionConfiguration"]!.ToJsonString()),
            Is.EqualTo(("MUTABLE", """{"encryptionType":"AES256"}"""))
        );
        Assert.That(TagsOf(made), Is.EqualTo("created-by=proxyswapper"));
        Assert.That(
            _ecr.Calls.Select(call => call.Operation),
            Is.EqualTo(new[] { "CreateRepository" }),
            "nothing is requested that is not needed"
        );
    }

    [Test]
    public async Task A_repository_is_made_as_the_configuration_says()
    {
        Assert.That(
            await CreateAsync(
                """
                {scanOnPush: false, imageTagMutability: IMMUTABLE, encryptionType: KMS, kmsKey: alias/images,
                 tags: {team: platform, created-by: us},
                 lifecyclePolicy: '{"rules":[]}', repositoryPolicy: '{"Statement":[]}'}
                """
            ),
            Is.True
        );
        var made = _ecr.Repositories["proxy_docker.io/library/nginx"];
        Assert.That(made["imageScanningConfiguration"]!.ToJsonString(), Is.EqualTo("""{"scanOnPush":false}"""));
        Assert.That(
            ((string?)made["imageTagMutability"], made["encryptionConfiguration"]!.ToJsonString()),
            Is.EqualTo(("IMMUTABLE", """{"encryptionType":"KMS","kmsKey":"alias/images"}"""))
        );
        Assert.That(TagsOf(made), Is.EqualTo("created-by=us team=platform"));
        Assert.That(
            ((string?)made["lifecyclePolicyText"], (string?)made["policyText"]),
            Is.EqualTo(("""{"rules":[]}""", """{"Statement":[]}"""))
        );
    }

    [Test]
    public async Task Two_replicas_may_make_it_at_once()
    {
        Assert.That(await Task.WhenAll(CreateAsync("{lifecyclePolicy: '{}'}"), CreateAsync("{lifecyclePolicy: '{}'}")), Is.All.True);
        Assert.That((_ecr.Repositories.Count, (string?)_ecr.Repositories.Single().Value["lifecyclePolicyText"]), Is.EqualTo((1, "{}")));
    }

    [Test]
    public async Task One_whose_response_was_lost_gets_its_policies()
    {
        // It was created but the response was lost: the retry finds it.
        _ecr.RespondNext(
            "CreateRepository",
            call =>
            {
                _ecr.Repositories[call.Repository!] = (JsonObject)call.Body.DeepClone();
                return FakeEcrResponses.Server(call);
            }
        );
        Assert.That(await CreateAsync("{lifecyclePolicy: '{}', repositoryPolicy: '{}'}"), Is.True);
        var made = _ecr.Repositories.Single().Value;
        Assert.That(((string?)made["lifecyclePolicyText"], (string?)made["policyText"]), Is.EqualTo(("{}", "{}")));
    }

    [Test]
    public async Task A_policy_call_that_fails_or_comes_too_early_is_sent_again()
    {
        for (var i = 0; i < 2; i++)
            _ecr.RespondNext("PutLifecyclePolicy", FakeEcrResponses.RepositoryNotFound);
        _ecr.RespondNext("SetRepositoryPolicy", FakeEcrResponses.Throttling);
        Assert.That(await CreateAsync("{lifecyclePolicy: '{}', repositoryPolicy: '{}'}"), Is.True);
        var made = _ecr.Repositories.Single().Value;
        Assert.That(((string?)made["lifecyclePolicyText"], (string?)made["policyText"]), Is.EqualTo(("{}", "{}")));
        Assert.That(_log.Lines.Where(line => line.Level >= LogLevel.Warning), Is.Empty);
    }

    [TestCase("""[{"Key":"created-by","Value":"proxyswapper"}]""", true)]
    [TestCase("""[{"Key":"created-by","Value":"terraform"}]""", false)]
    [TestCase("[]", false)]
    public async Task The_policies_of_existing_repositories_that_are_ours_are_set_once(string tags, bool isOurs)
    {
        var repository = new JsonObject { ["repositoryName"] = Image.Repository, ["tags"] = JsonNode.Parse(tags) };
        _ecr.Repositories[Image.Repository] = repository;
        var creator = CreatorOf(Entries("{lifecyclePolicy: '{}'}"));
        for (var i = 0; i < 3; i++)
            await creator.ReconcileAsync(Image, default);
        Assert.That((string?)repository["lifecyclePolicyText"], Is.EqualTo(isOurs ? "{}" : null));
        Assert.That(_ecr.Calls, Has.Count.EqualTo(isOurs ? 3 : 2), "requested once");
    }

    [Test]
    public async Task Without_the_permission_to_look_the_copy_continues_and_it_is_named()
    {
        _ecr.Repositories[Image.Repository] = [];
        _ecr.RespondAlways("DescribeRepositories", FakeEcrResponses.AccessDenied);
        await CreatorOf(Entries("{lifecyclePolicy: '{}'}")).ReconcileAsync(Image, default);
        Assert.That(_log.Text, Does.Contain("needs ecr:DescribeRepositories on"));
    }

    [Test]
    public void A_missing_permission_is_named_with_its_resource()
    {
        _ecr.RespondAlways("CreateRepository", FakeEcrResponses.AccessDenied);
        var fault = Assert.ThrowsAsync<RegistryException>(() => CreateAsync())!;
        Assert.That(fault.IsTransient, Is.False);
        Assert.That(
            fault.Message,
            Does.Contain("library/nginx: bad request (HTTP 400): the repository does not exist in ECR and cannot be created: ")
                .And.Contain(
                    "needs ecr:CreateRepository and ecr:TagResource on "
                        + "arn:aws:ecr:eu-central-1:123456789012:repository/proxy_docker.io/library/nginx"
                )
                .And.Contain("AccessDeniedException")
        );
    }

    [Test]
    public void What_is_throttled_for_long_may_succeed_later()
    {
        _ecr.RespondAlways("CreateRepository", FakeEcrResponses.Throttling);
        var fault = Assert.ThrowsAsync<RegistryException>(() => CreateAsync())!;
        Assert.That(
            (fault.IsTransient, fault.Message.Contains("ThrottlingException", StringComparison.Ordinal)),
            Is.EqualTo((true, true)),
            fault.Message
        );
    }

    [Test]
    public async Task A_policy_that_cannot_be_set_is_reported_and_keeps_no_image_away()
    {
        _ecr.RespondAlways("PutLifecyclePolicy", FakeEcrResponses.AccessDenied);
        _ecr.RespondAlways("SetRepositoryPolicy", FakeEcrResponses.InvalidParameter);
        Assert.That(await CreateAsync("{lifecyclePolicy: '{}', repositoryPolicy: '{}'}"), Is.True);
        var warnings = _log.Lines.Where(line => line.Level == LogLevel.Warning).Select(line => line.Text).ToList();
        Assert.That(warnings, Has.Count.EqualTo(2));
        Assert.That(
            warnings[0],
            Does.Contain("needs ecr:PutLifecyclePolicy on arn:aws:ecr:eu-central-1:123456789012:repository/proxy_docker.io/library/nginx")
        );
        Assert.That(warnings[1], Does.Contain("Invalid repository policy provided"));
    }

    [TestCase("registry.example.com/a", false)]
    [TestCase("public.ecr.aws/a/b", false)]
    [TestCase("123456789012.dkr.ecr.eu-central-1.amazonaws.com/a", true)]
    [TestCase("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/a", true)]
    public async Task Only_private_registries_of_Amazon_are_queried(string image, bool isEcr)
    {
        var creator = CreatorOf([]);
        Assert.That(creator.IsEcr(ImageReference.Parse(image).Registry), Is.EqualTo(isEcr));
        if (!isEcr)
            Assert.That(await creator.CreateAsync(ImageReference.Parse(image), default), Is.False);
    }

    [Test]
    public void Without_an_identity_the_repository_is_named()
    {
        var creator = new EcrRepositoryCreator(
            () => [],
            (_, _, _) => Task.FromResult<EcrClient?>(null),
            _log.CreateLogger<EcrRepositoryCreator>(),
            TimeProvider.System
        );
        Assert.That(
            async () => await creator.CreateAsync(Image, default),
            Throws.TypeOf<RegistryCredentialException>().With.Message.Contains(Image.Name)
        );
    }

    private ImageReference Image => ImageReference.Parse($"{_ecr.Registry}/proxy_docker.io/library/nginx:1");

    private Task<bool> CreateAsync(string? settings = null) => CreatorOf(Entries(settings)).CreateAsync(Image, default).AsTask();

    private IReadOnlyList<RegistryEntryOptions> Entries(string? settings)
    {
        var text = settings is null ? "" : $"registries: [{{host: {_ecr.Registry}, auth: ecr, createRepositories: {settings}}}]";
        return ConfigurationReader.ReadText("test", text, EnvironmentVariables.None).Registries;
    }

    private EcrRepositoryCreator CreatorOf(IReadOnlyList<RegistryEntryOptions> registries) =>
        new(
            () => registries,
            (host, _, _) =>
                Task.FromResult<EcrClient?>(
                    new EcrClient(
                        host with
                        {
                            ApiEndpoint = _ecr.Endpoint,
                        },
                        new SessionAWSCredentials(_ecr.Principal.AccessKeyId, _ecr.Principal.SecretAccessKey, _ecr.Principal.SessionToken)
                    )
                ),
            _log.CreateLogger<EcrRepositoryCreator>(),
            new SkippingTimeProvider(TimeSpan.FromMinutes(1))
        );

    private static string TagsOf(JsonObject repository) =>
        string.Join(' ', repository["tags"]!.AsArray().Select(tag => $"{tag!["Key"]}={tag["Value"]}").Order(StringComparer.Ordinal));
}
