using System.Text.Json.Nodes;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Registries;

namespace ProxySwapper.IntegrationTests.Credentials;

/// <summary>The program as <c>docker-credential-proxyswapper</c>, called by skopeo and with its protocol.</summary>
[TestFixture, NeedsServer]
internal sealed class DockerCredentialTests : IDisposable
{
    private const string Helper = "docker-credential-proxyswapper";

    private readonly TemporaryFolder _folder = new();
    private DebianRegistry _registry = null!;
    private Dictionary<string, string> _environment = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _registry = await DebianRegistry.StartWithPasswordAsync("user", "s3cret");
        await TestImage.Create(1).PushAsync(_registry.Address, "team/app", "1", "user", "s3cret");
        File.CreateSymbolicLink(_folder.PathOf(Helper), Path.Combine(AppContext.BaseDirectory, "proxyswapper"));
        _folder.Write(
            "config.yaml",
            $$"""
            registries:
              - {host: '{{_registry.Address}}', auth: basic, usernameFrom: {env: REGISTRY_USER}, passwordFrom: {env: REGISTRY_PASSWORD} }
              - {host: open.example, auth: anonymous}
              - {host: 123456789012.dkr.ecr.eu-central-1.amazonaws.com, auth: ecr}
            """
        );
        // Docker's configuration names the program for every host: it must not call itself for unknown ones.
        _folder.Write("auth.json", $$"""{"credHelpers":{"{{_registry.Address}}":"proxyswapper"},"credsStore":"proxyswapper"}""");
        _environment = new Dictionary<string, string>
        {
            ["PATH"] = $"{_folder.PathOf("")}:{Environment.GetEnvironmentVariable("PATH")}",
            ["REGISTRY_AUTH_FILE"] = _folder.PathOf("auth.json"),
            ["PROXYSWAPPER_CREDENTIAL_CONFIG"] = _folder.PathOf("config.yaml"),
            ["REGISTRY_USER"] = "user",
            ["REGISTRY_PASSWORD"] = "s3cret",
        };
    }

    [OneTimeTearDown]
    public async Task StopAsync() => await _registry.DisposeAsync();

    public void Dispose() => _folder.Dispose();

    [Test]
    public async Task Skopeo_pulls_with_the_helper()
    {
        var (exitCode, output, error) = await SkopeoAsync("inspect", "--tls-verify=false", $"docker://{_registry.Address}/team/app:1");
        Assert.That(exitCode, Is.Zero, output + error);
    }

    [Test]
    public async Task Skopeo_is_denied_without_the_helper()
    {
        var (exitCode, _, error) = await TestProcess.RunAsync(
            "skopeo",
            ["inspect", "--tls-verify=false", $"docker://{_registry.Address}/team/app:1"],
            new Dictionary<string, string> { ["REGISTRY_AUTH_FILE"] = _folder.PathOf("none.json") }
        );
        Assert.That((exitCode, error.Contains("authentication required", StringComparison.Ordinal)), Is.EqualTo((1, true)), error);
    }

    [Test]
    public async Task A_login_is_rejected_with_the_reason_instead_of_being_forgotten()
    {
        var (exitCode, output, error) = await SkopeoAsync("login", "--tls-verify=false", "-u", "user", "-p", "s3cret", _registry.Address);
        Assert.That(
            (exitCode, (output + error).Contains("proxyswapper does not store credentials", StringComparison.Ordinal)),
            Is.EqualTo((1, true)),
            output + error
        );
    }

    [Test]
    public async Task A_credential_is_printed_with_user_and_secret()
    {
        var (exitCode, output, error) = await RunHelperAsync("get", _registry.Address);
        Assert.That(exitCode, Is.Zero, output + error);
        Assert.That(
            JsonNode.DeepEquals(
                JsonNode.Parse(output),
                new JsonObject
                {
                    ["ServerURL"] = _registry.Address,
                    ["Username"] = "user",
                    ["Secret"] = "s3cret",
                }
            ),
            Is.True,
            output
        );
    }

    [TestCase("unknown.example")]
    [TestCase("open.example")]
    [TestCase("https://index.docker.io/v1/")]
    public async Task A_missing_credential_is_reported_in_the_protocols_words(string server) =>
        Assert.That(await RunHelperAsync("get", server), Is.EqualTo((1, "credentials not found in native keychain\n", "")));

    [TestCase("get", "not a registry", "standard input must be a registry")]
    [TestCase("store", """{"ServerURL":"r.example","Username":"u","Secret":"top-secret"}""", "does not store credentials")]
    [TestCase("erase", "r.example", "does not store credentials")]
    public async Task Failures_are_reported_on_standard_output(string verb, string input, string reason)
    {
        var (exitCode, output, error) = await RunHelperAsync(verb, input);
        Assert.That((exitCode, error), Is.EqualTo((1, "")));
        Assert.That(output, Does.Contain(reason).And.Not.Contain("top-secret"));
    }

    [Test]
    public async Task A_password_that_cannot_be_read_is_reported_on_standard_output()
    {
        var environment = new Dictionary<string, string>(_environment) { ["REGISTRY_PASSWORD"] = "" };
        var (exitCode, output, _) = await TestProcess.RunAsync(_folder.PathOf(Helper), ["get"], environment, _registry.Address);
        Assert.That(
            (exitCode, output),
            Is.EqualTo(
                (
                    1,
                    $"registries: passwordFrom of {_registry.Address} is read from the environment variable REGISTRY_PASSWORD, "
                        + "which is not set\n"
                )
            )
        );
    }

    [Test]
    public async Task The_list_has_the_configured_hosts_with_their_users_and_no_secret()
    {
        var (exitCode, output, _) = await RunHelperAsync("list", "");
        Assert.That(exitCode, Is.Zero, output);
        Assert.That(
            JsonNode.DeepEquals(
                JsonNode.Parse(output),
                new JsonObject { [_registry.Address] = "user", ["123456789012.dkr.ecr.eu-central-1.amazonaws.com"] = "AWS" }
            ),
            Is.True,
            output
        );
    }

    [Test]
    public async Task A_broken_configuration_is_reported_on_standard_output()
    {
        _folder.Write("broken.yaml", "registries: [{hots: x}]");
        var environment = new Dictionary<string, string>(_environment)
        {
            ["PROXYSWAPPER_CREDENTIAL_CONFIG"] = _folder.PathOf("broken.yaml"),
        };
        var (exitCode, output, _) = await TestProcess.RunAsync(_folder.PathOf(Helper), ["get"], environment, "r.example");
        Assert.That((exitCode, output.Contains("broken.yaml", StringComparison.Ordinal)), Is.EqualTo((2, true)), output);
    }

    private Task<(int ExitCode, string Output, string Error)> RunHelperAsync(string verb, string input) =>
        TestProcess.RunAsync(_folder.PathOf(Helper), [verb], _environment, input);

    private Task<(int ExitCode, string Output, string Error)> SkopeoAsync(params string[] arguments) =>
        TestProcess.RunAsync("skopeo", arguments, _environment);
}
