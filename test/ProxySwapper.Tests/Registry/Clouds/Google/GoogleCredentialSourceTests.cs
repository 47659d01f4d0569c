using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Google.Apis.Auth.OAuth2;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Clouds.Google;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Registry.Clouds.Google;

/// <summary>Key files against an in-process token server; the tests of the registry cache use the metadata server.</summary>
[TestFixture]
internal sealed class GoogleCredentialSourceTests
{
    [TestCase("gcr.io", true)]
    [TestCase("eu.gcr.io", true)]
    [TestCase("europe-docker.pkg.dev", true)]
    [TestCase("pkg.dev", false)]
    [TestCase("notgcr.io", false)]
    [TestCase("gcr.io.example.com", false)]
    public void Googles_hosts_are_known(string host, bool isGoogle) =>
        Assert.That(GoogleCredentialSource.IsGoogle(RegistryName.Parse(host)), Is.EqualTo(isGoogle));

    [Test]
    public async Task Other_hosts_are_for_other_sources() => Assert.That(await Source([]).GetAsync(Image("quay.io/a/b"), default), Is.Null);

    [Test]
    public void A_key_file_that_is_missing_is_an_error_that_names_it()
    {
        var source = Source(new() { [RegistryName.Parse("europe-docker.pkg.dev")] = "/no/such/key.json" });
        var fault = Assert.ThrowsAsync<RegistryCredentialException>(async () =>
            await source.GetAsync(Image("europe-docker.pkg.dev/a/b"), default)
        );
        Assert.That(fault!.Message, Does.StartWith("google: cannot get an access token for ").And.Contain("/no/such/key.json"));
    }

    [Test]
    public async Task Two_accounts_work_side_by_side()
    {
        using var folder = new TemporaryFolder();
        await using var server = await StartTokenServerAsync();
        var source = Source(
            new()
            {
                [RegistryName.Parse("a.pkg.dev")] = KeyFile(folder, "a", server),
                [RegistryName.Parse("b.pkg.dev")] = KeyFile(folder, "b", server),
            }
        );
        foreach (var account in new[] { "a", "b", "a" })
        {
            var credential = await source.GetAsync(Image($"{account}.pkg.dev/x/y"), default);
            Assert.That((credential!.Username, credential.Password), Is.EqualTo(("oauth2accesstoken", $"token-of-{account}")));
        }
        Assert.That(_tokens, Is.EqualTo(2), "a token is kept until it expires");
    }

    [Test]
    public async Task A_search_that_never_ends_is_an_error_and_the_next_one_searches_again()
    {
        var time = new ManualTimeProvider();
        var searches = new Queue<Task<GoogleCredential>>([
            new TaskCompletionSource<GoogleCredential>().Task,
            Task.FromResult(GoogleCredential.FromAccessToken("found")),
        ]);
        var source = new GoogleCredentialSource(
            new Dictionary<RegistryName, string?>(),
            searches.Dequeue,
            time,
            NullLogger<GoogleCredentialSource>.Instance
        );
        var pending = source.GetAsync(Image("gcr.io/a/b"), default).AsTask();
        await time.FireAsync(TimeSpan.FromSeconds(30));
        Assert.That(
            async () => await pending,
            Throws
                .InstanceOf<RegistryCredentialException>()
                .With.Message.EqualTo("google: cannot get an access token for gcr.io: timed out")
        );
        Assert.That((await source.GetAsync(Image("gcr.io/a/b"), default))!.Password, Is.EqualTo("found"));
    }

    [Test]
    public async Task Without_credentials_nothing_is_requested_which_is_reported_once_and_searched_for_again_later()
    {
        using var log = new CapturedLog();
        var time = new ManualTimeProvider();
        var searches = 0;
        var source = new GoogleCredentialSource(
            new Dictionary<RegistryName, string?> { [RegistryName.Parse("required.pkg.dev")] = null },
            () => ++searches > 0 ? throw new InvalidOperationException("none of a test") : null!,
            time,
            new Logger<GoogleCredentialSource>(log)
        );
        foreach (var host in new[] { "gcr.io", "a.pkg.dev", "gcr.io" })
            Assert.That(await source.GetAsync(Image($"{host}/a/b"), default), Is.Null);
        Assert.That(
            async () => await source.GetAsync(Image("required.pkg.dev/a/b"), default),
            Throws.InstanceOf<RegistryCredentialException>()
        );
        Assert.That((searches, log.Lines.Count), Is.EqualTo((1, 1)));
        time.Advance(TimeSpan.FromMinutes(5));
        await source.GetAsync(Image("gcr.io/a/b"), default);
        Assert.That((searches, log.Lines.Count), Is.EqualTo((2, 1)));
    }

    private int _tokens;

    private static GoogleCredentialSource Source(Dictionary<RegistryName, string?> hosts) =>
        new(hosts, TimeProvider.System, NullLogger<GoogleCredentialSource>.Instance);

    private static ImageReference Image(string text) =>
        ImageReference.TryParse(text, out var image, out var fault) ? image : throw new ArgumentException(fault);

    /// <summary>Issues a token for assertions of the test's account.</summary>
    private async Task<WebApplication> StartTokenServerAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var server = builder.Build();
        server.Run(async context =>
        {
            Interlocked.Increment(ref _tokens);
            var assertion = (await context.Request.ReadFormAsync())["assertion"]
                .ToString()
                .Split('.')[1]
                .Replace('-', '+')
                .Replace('_', '/');
            var claims = JsonNode.Parse(Convert.FromBase64String(assertion.PadRight((assertion.Length + 3) / 4 * 4, '=')))!;
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync(
                $$"""{"access_token":"token-of-{{((string)claims["iss"]!).Split('@')[0]}}","expires_in":3600,"token_type":"Bearer"}"""
            );
        });
        await server.StartAsync();
        return server;
    }

    private static string KeyFile(TemporaryFolder folder, string account, WebApplication server)
    {
        using var key = RSA.Create(2048);
        var file = folder.PathOf($"{account}.json");
        File.WriteAllText(
            file,
            new JsonObject
            {
                ["type"] = "service_account",
                ["project_id"] = "project",
                ["private_key_id"] = account,
                ["private_key"] = key.ExportPkcs8PrivateKeyPem(),
                ["client_email"] = $"{account}@project.iam.gserviceaccount.com",
                ["client_id"] = "1",
                ["token_uri"] = $"{server.Urls.Single()}/token",
            }.ToJsonString()
        );
        return file;
    }
}
