using System.Text;
using System.Text.Json.Nodes;
using ProxySwapper.Testing.Clouds;
using ProxySwapper.Testing.Documentation;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Registries;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.IntegrationTests.Credentials;

/// <summary>
/// Pushes to repositories that do not exist in ECR yet: ECR's API with its signatures and errors, in front of a real registry. Nothing is
/// allowed but what the role's policy in the manual allows.
/// </summary>
[TestFixture, NeedsServer]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class EcrRepositoryTests : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly TestImage _image = TestImage.Create(1, layers: 3, layerSize: 50_000, "amd64", "arm64");
    private FakeEcr _ecr = null!;
    private DebianRegistry _source = null!;
    private EcrRegistry _target = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _ecr = await FakeEcr.StartAsync();
        _ecr.AllowedActions = DocumentedActions;
        (_source, _target) = (await DebianRegistry.StartAsync(), await EcrRegistry.StartAsync(_ecr));
        _target.HasMadeRepositoriesOnly = true;
        await _image.PushAsync(_source.Address, "team/app", "1.0.0");
    }

    public async ValueTask DisposeAsync()
    {
        await _source.DisposeAsync();
        await _target.DisposeAsync();
        await _ecr.DisposeAsync();
        _folder.Dispose();
    }

    private static HashSet<string> DocumentedActions =>
        [
            .. ManualPage
                .All.Single(page => page.Path == Path.Combine("docs", "scenarios", "eks-ecr.md"))
                .Blocks.Where(block => block.Language == "json")
                .SelectMany(block => JsonNode.Parse(block.Text)!["Statement"]!.AsArray())
                .SelectMany(statement => statement!["Action"] is JsonArray list ? list : [statement["Action"]!.DeepClone()])
                .Select(action => (string)action!)
                .Where(action => action.StartsWith("ecr:", StringComparison.Ordinal)),
        ];

    [Test]
    public async Task Every_right_of_the_documented_policy_is_needed()
    {
        const string Policies = """{lifecyclePolicy: '{"rules": []}', repositoryPolicy: '{"Version": "2012-10-17"}'}""";
        var configuration = _folder.Write("config.yaml", $"registries: [{Entry(Policies)}]");
        foreach (var name in (string[])["app", "other"])
        {
            var copied = await RunAsync(
                "copy",
                $"{_source.Address}/team/app:1.0.0",
                $"{_target.Address}/mirror/{name}:1.0.0",
                "--config",
                configuration
            );
            Assert.That(copied.ExitCode, Is.Zero, copied.Output + copied.Error);
            Assert.That((string?)_ecr.Repositories[$"mirror/{name}"]["policyText"], Does.Contain("2012-10-17"));
            // The next one exists when it is to be created: the response to an earlier call was lost.
            _ecr.RespondNext(
                "CreateRepository",
                call =>
                {
                    _ecr.Repositories[call.Repository!] = call.Body;
                    return FakeEcrResponses.RepositoryAlreadyExists(call);
                }
            );
        }
        var file = _folder.Write(
            "mirror.yaml",
            $"registries: [{Entry()}]\nimages: {{app: {{source: '{_target.Address}/mirror/app', "
                + $"destination: '{_source.Address}/other/app'}}}}"
        );
        var mirrored = await RunAsync("mirror", "-c", file);
        Assert.That(mirrored.ExitCode, Is.Zero, mirrored.Output + mirrored.Error);
        Assert.That(_ecr.Actions, Is.EquivalentTo(DocumentedActions));
    }

    [Test]
    public async Task A_copy_creates_missing_repositories()
    {
        var result = await RunAsync(
            "copy",
            $"{_source.Address}/team/app:1.0.0",
            $"{_target.Address}/mirror/app:1.0.0",
            "--config",
            _folder.Write("config.yaml", $"registries: [{Entry()}]")
        );
        Assert.That(result.ExitCode, Is.Zero, result.Output + result.Error);
        Assert.That(await _target.DigestAsync("mirror/app", "1.0.0"), Is.EqualTo(_image.Top.Digest.ToString()));
        Assert.That((_ecr.Calls.Count(call => call.Operation == "CreateRepository"), _target.Dropped > 0), Is.EqualTo((1, true)));
    }

    [Test]
    public async Task A_mirror_run_creates_a_missing_repository_once_for_all_tags()
    {
        for (var minor = 1; minor < 5; minor++)
            await _image.PushAsync(_source.Address, "team/app", $"1.{minor}.0");
        var file = _folder.Write(
            "mirror.yaml",
            $"registries: [{Entry("{imageTagMutability: IMMUTABLE}")}]\nimages: {{app: {{source: "
                + $"'{_source.Address}/team/app', destination: "
                + $"'{_target.Address}/mirror/app', mode: semver}}}}"
        );
        var result = await RunAsync("mirror", "-c", file);
        Assert.That(result.ExitCode, Is.Zero, result.Output + result.Error);
        for (var minor = 0; minor < 5; minor++)
            Assert.That(await _target.DigestAsync("mirror/app", $"1.{minor}.0"), Is.EqualTo(_image.Top.Digest.ToString()));
        Assert.That(
            (_ecr.Repositories.Count, (string?)_ecr.Repositories["mirror/app"]["imageTagMutability"]),
            Is.EqualTo((1, "IMMUTABLE"))
        );
    }

    [Test]
    public async Task Policies_of_a_repository_that_exists_follow_the_configuration_of_copy_and_mirror()
    {
        string[] copy = ["copy", $"{_source.Address}/team/app:1.0.0", $"{_target.Address}/mirror/app:1.0.0", "--config"];
        await AssertPolicyAsync(null, [.. copy, _folder.Write("config.yaml", $"registries: [{Entry()}]")]);
        await AssertPolicyAsync("one", [.. copy, _folder.Write("config.yaml", $"registries: [{Entry(PolicyOf("one"))}]")]);
        var file = _folder.Write(
            "mirror.yaml",
            $"registries: [{Entry(PolicyOf("two"))}]\nimages: {{app: {{source: '{_source.Address}/team/app', "
                + $"destination: '{_target.Address}/mirror/app'}}}}"
        );
        await AssertPolicyAsync("one", "mirror", "-c", file, "--dry-run");
        await AssertPolicyAsync("two", "mirror", "-c", file);

        static string PolicyOf(string name) => $$"""{repositoryPolicy: '{"Id": "{{name}}"}'}""";

        async Task AssertPolicyAsync(string? name, params string[] command)
        {
            var result = await RunAsync(command);
            Assert.That(result.ExitCode, Is.Zero, result.Output + result.Error);
            var policy = (string?)_ecr.Repositories["mirror/app"]["policyText"];
            Assert.That(policy, name is null ? Is.Null : Does.Contain(name), result.Output + result.Error);
        }
    }

    [Test]
    public async Task An_immutable_tag_is_success_with_the_same_digest_and_reported_with_another()
    {
        var configuration = _folder.Write("config.yaml", $"registries: [{Entry("{imageTagMutability: IMMUTABLE}")}]");
        string[] copy = ["copy", $"{_source.Address}/team/app:1.0.0", $"{_target.Address}/mirror/app:1.0.0", "--config", configuration];
        Assert.That((await RunAsync(copy)).ExitCode, Is.Zero);
        Assert.That((await RunAsync(copy)).ExitCode, Is.Zero);
        await TestImage.Create(2).PushAsync(_source.Address, "team/app", "1.0.0");
        var other = await RunAsync(copy);
        Assert.That((other.ExitCode, other.Error.Contains("immutable", StringComparison.Ordinal)), Is.EqualTo((1, true)), other.Error);
        Assert.That(await _target.DigestAsync("mirror/app", "1.0.0"), Is.EqualTo(_image.Top.Digest.ToString()));
    }

    [Test]
    public async Task A_missing_permission_is_reported_with_its_name()
    {
        _ecr.AllowedActions = DocumentedActions.Except(["ecr:TagResource"]).ToHashSet();
        var result = await RunAsync(
            "copy",
            $"{_source.Address}/team/app:1.0.0",
            $"{_target.Address}/mirror/app:1.0.0",
            "--config",
            _folder.Write("config.yaml", $"registries: [{Entry()}]")
        );
        Assert.That(result.ExitCode, Is.EqualTo(1));
        Assert.That(
            result.Error,
            Does.Contain("needs ecr:CreateRepository and ecr:TagResource on arn:aws:ecr:eu-central-1:")
                .And.Contain(":repository/mirror/app")
        );
    }

    [Test]
    public async Task The_populator_creates_missing_repositories_and_tags_digests()
    {
        await using var webhook = await ProxySwapperProcess.StartAsync(
            $"rules: [{{match: '{_source.Address}', target: '{_target.Address}/proxy'}}]\nregistries: [{Entry()}]",
            Variables()
        );
        using var client = webhook.CreateClient();
        foreach (
            var image in new[] { $"{_source.Address}/team/app:1.0.0", $"{_source.Address}/team/app@{_image.Platforms["arm64"].Digest}" }
        )
        {
            using var content = new StringContent(ReviewSamples.Create(image), Encoding.UTF8, "application/json");
            (await client.PostAsync("/mutate", content)).EnsureSuccessStatusCode();
        }
        var digest = _image.Platforms["arm64"].Digest;
        await TestWait.UntilAsync(
            async () =>
                await _target.DigestAsync("proxy/team/app", "1.0.0") == _image.Top.Digest.ToString()
                && await _target.DigestAsync("proxy/team/app", $"sha256-{digest.Hex}") == digest.ToString(),
            "both images downstream"
        );
        Assert.That(_ecr.Repositories.Keys, Is.EqualTo(new[] { "proxy/team/app" }));
        webhook.Terminate();
        await webhook.WaitForExitAsync();
        Assert.That(webhook.Log, Does.Contain("Created the repository").And.Not.Contain("ecr-password"));
    }

    private string Entry(string create = "{}") =>
        $"{{host: '{_target.Address}', auth: ecr, region: eu-central-1, createRepositories: {create}}}";

    private Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] arguments) =>
        ProxySwapperProgram.RunAsync(arguments, [.. Variables().Select(pair => (pair.Key, (string?)pair.Value))]);

    private Dictionary<string, string> Variables() =>
        new()
        {
            ["AWS_ENDPOINT_URL_ECR"] = _ecr.Endpoint.AbsoluteUri,
            ["AWS_ACCESS_KEY_ID"] = _ecr.Principal.AccessKeyId,
            ["AWS_SECRET_ACCESS_KEY"] = _ecr.Principal.SecretAccessKey,
            ["AWS_SESSION_TOKEN"] = _ecr.Principal.SessionToken!,
        };
}
