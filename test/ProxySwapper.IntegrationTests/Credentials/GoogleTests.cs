using System.Text.Json.Nodes;
using ProxySwapper.Testing.Clouds;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Registries;

namespace ProxySwapper.IntegrationTests.Credentials;

/// <summary>
/// <c>proxyswapper copy</c> from a registry like Google's with Application Default Credentials, which are per process, so the built
/// program runs. Unit tests cover key files for single hosts.
/// </summary>
[TestFixture, NeedsServer]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class GoogleTests : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private GoogleCloud _google = null!;
    private DebianRegistry _target = null!;

    [SetUp]
    public async Task StartAsync() => (_google, _target) = (await GoogleCloud.StartAsync(), await DebianRegistry.StartAsync());

    public async ValueTask DisposeAsync()
    {
        await _google.DisposeAsync();
        await _target.DisposeAsync();
        _folder.Dispose();
    }

    [Test]
    public async Task The_metadata_server_is_used() => await CopiedAsync(("GCE_METADATA_HOST", _google.Address));

    [Test]
    public async Task Workload_Identity_Federation_is_used() =>
        await CopiedAsync(("GOOGLE_APPLICATION_CREDENTIALS", Federation(GoogleCloud.SubjectToken)));

    [Test]
    public async Task An_identity_that_is_not_federated_is_an_error_without_its_token()
    {
        var result = await CopyAsync(("GOOGLE_APPLICATION_CREDENTIALS", Federation("another-secret-token")));
        Assert.That(result.ExitCode, Is.EqualTo(1));
        Assert.That(
            result.Error,
            Does.StartWith($"google: cannot get an access token for {_google.Address}: ")
                .And.Contain("rejected by the attribute condition")
                .And.Not.Contain("another-secret-token")
        );
    }

    private async Task CopiedAsync(params (string Name, string? Value)[] environment)
    {
        var result = await CopyAsync(environment);
        Assert.That(
            (result.ExitCode, result.Output.Contains($"digest {_google.Manifest.Digest}\n", StringComparison.Ordinal)),
            Is.EqualTo((0, true)),
            result.Output + result.Error
        );
        Assert.That(
            (_google.TokensTaken, (result.Output + result.Error).Contains(_google.AccessToken, StringComparison.Ordinal)),
            Is.EqualTo((1, false))
        );
    }

    private Task<(int ExitCode, string Output, string Error)> CopyAsync(params (string Name, string? Value)[] environment) =>
        ProxySwapperProgram.RunAsync(
            [
                "copy",
                $"{_google.Address}/{GoogleCloud.Repository}:1",
                $"{_target.Address}/team:1",
                "--config",
                _folder.Write("config.yaml", $"registries: [{{host: '{_google.Address}', auth: google}}]\n"),
            ],
            [("HOME", Path.GetDirectoryName(_folder.PathOf("x"))), .. environment]
        );

    private string Federation(string subjectToken) =>
        _folder.Write(
            "federation.json",
            new JsonObject
            {
                ["type"] = "external_account",
                ["audience"] = GoogleCloud.Audience,
                ["subject_token_type"] = "urn:ietf:params:oauth:token-type:jwt",
                ["token_url"] = $"http://{_google.Address}/v1/token",
                ["credential_source"] = new JsonObject { ["file"] = _folder.Write("token", subjectToken) },
            }.ToJsonString()
        );
}
