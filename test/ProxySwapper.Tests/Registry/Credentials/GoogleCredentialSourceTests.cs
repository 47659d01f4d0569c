using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Testing;

namespace ProxySwapper.Tests.Registry.Credentials;

/// <summary>Key files against a token server in this process; the metadata server is met by the registry cache's tests.</summary>
[TestFixture]
internal sealed class GoogleCredentialSourceTests
{
    [TestCase("gcr.io", true)]
    [TestCase("eu.gcr.io", true)]
    [TestCase("europe-docker.pkg.dev", true)]
    [TestCase("pkg.dev", false)]
    [TestCase("notgcr.io", false)]
    [TestCase("gcr.io.example.com", false)]
    public void Googles_hosts_are_known(string host, bool isGoogle) => Assert.That(GoogleCredentialSource.IsGoogle(host), Is.EqualTo(isGoogle));

    [Test]
    public async Task Other_hosts_are_for_other_sources() => Assert.That(await Source([]).GetAsync(Image("quay.io/a/b"), default), Is.Null);

    [Test]
    public void A_key_file_that_is_not_there_is_an_error_that_names_it()
    {
        var source = Source(new() { ["europe-docker.pkg.dev"] = "/no/such/key.json" });
        var fault = Assert.ThrowsAsync<RegistryCredentialException>(async () => await source.GetAsync(Image("europe-docker.pkg.dev/a/b"), default));
        Assert.That(fault!.Message, Does.StartWith("google: no access token for europe-docker.pkg.dev: ").And.Contain("/no/such/key.json"));
    }

    [Test]
    public async Task Two_accounts_work_side_by_side()
    {
        using var folder = new TemporaryFolder();
        await using var server = await StartTokenServerAsync();
        var source = Source(new() { ["a.pkg.dev"] = KeyFile(folder, "a", server), ["b.pkg.dev"] = KeyFile(folder, "b", server) });
        foreach (var account in new[] { "a", "b", "a" })
        {
            var credential = await source.GetAsync(Image($"{account}.pkg.dev/x/y"), default);
            Assert.That((credential!.Username, credential.Password), Is.EqualTo(("oauth2accesstoken", $"token-of-{account}")));
        }
        Assert.That(_tokens, Is.EqualTo(2), "a token is kept until it expires");
    }

    private int _tokens;

    private static GoogleCredentialSource Source(Dictionary<string, string?> hosts) => new(hosts, TimeProvider.System, NullLogger<GoogleCredentialSource>.Instance);

    private static ImageReference Image(string text) => ImageReference.TryParse(text, out var image, out var fault) ? image : throw new ArgumentException(fault);

    /// <summary>Gives a token to whose assertion says that it is an account of the test.</summary>
    private async Task<WebApplication> StartTokenServerAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var server = builder.Build();
        server.Run(async context =>
        {
            Interlocked.Increment(ref _tokens);
            var assertion = (await context.Request.ReadFormAsync())["assertion"].ToString().Split('.')[1].Replace('-', '+').Replace('_', '/');
            var claims = JsonNode.Parse(Convert.FromBase64String(assertion.PadRight((assertion.Length + 3) / 4 * 4, '=')))!;
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync($$"""{"access_token":"token-of-{{((string)claims["iss"]!).Split('@')[0]}}","expires_in":3600,"token_type":"Bearer"}""");
        });
        await server.StartAsync();
        return server;
    }

    private static string KeyFile(TemporaryFolder folder, string account, WebApplication server)
    {
        using var key = RSA.Create(2048);
        var file = folder.PathOf($"{account}.json");
        File.WriteAllText(file, new JsonObject
        {
            ["type"] = "service_account",
            ["project_id"] = "project",
            ["private_key_id"] = account,
            ["private_key"] = key.ExportPkcs8PrivateKeyPem(),
            ["client_email"] = $"{account}@project.iam.gserviceaccount.com",
            ["client_id"] = "1",
            ["token_uri"] = $"{server.Urls.Single()}/token",
        }.ToJsonString());
        return file;
    }
}
