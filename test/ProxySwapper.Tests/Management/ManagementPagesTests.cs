using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using ProxySwapper.Configuration;
using ProxySwapper.Management;
using ProxySwapper.Registry;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Tests.Management;

[TestFixture]
internal sealed class ManagementPagesTests
{
    private const string Token = "s3cret:with:colons";

    private static readonly IManagementPage[] Pages = [new HealthPage(), new ClosedPage()];

    [TestCase("/healthz", null, 200)]
    [TestCase("/populate", null, 401)]
    [TestCase("/populate", "Bearer " + Token, 200)]
    [TestCase("/populate", "bearer " + Token, 200)]
    [TestCase("/populate", "Bearer s3cret", 401)]
    [TestCase("/populate", "Bearer", 401)]
    [TestCase("/populate", "Digest " + Token, 401)]
    [TestCase("/populate", "Basic not-base64", 401)]
    [TestCase("/populate", "Basic anybody:" + Token, 200)]
    [TestCase("/populate", "Basic " + Token, 401)]
    [TestCase("/other", "Bearer " + Token, 404)]
    public async Task A_protected_page_requires_the_token(string path, string? authorization, int status)
    {
        if (authorization is ['B', 'a', 's', 'i', 'c', ' ', .. var pair] && pair.Contains(':', StringComparison.Ordinal))
            authorization = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(pair));
        var token = Create(new SecretSource("TOKEN", null));
        Assert.That(await StatusAsync(token, path, authorization), Is.EqualTo(status));
    }

    [TestCase("127.0.0.1", 200)]
    [TestCase("::1", 200)]
    [TestCase("::ffff:127.0.0.1", 200)]
    [TestCase("127.0.0.6", 403)]
    [TestCase("10.0.0.7", 403)]
    [TestCase("fd00::7", 403)]
    [TestCase("fd00::7f00:1", 403)]
    [TestCase(null, 403)]
    public async Task Without_a_token_only_localhost_can_read_what_is_not_open(string? client, int status)
    {
        var address = client is null ? null : IPAddress.Parse(client);
        Assert.That(await StatusAsync(null, "/populate", null, address), Is.EqualTo(status));
        Assert.That(await StatusAsync(null, "/healthz", null, address), Is.EqualTo(200));
    }

    [Test]
    public async Task A_token_in_a_file_may_change_and_one_that_cannot_be_read_closes()
    {
        using var folder = new TemporaryFolder();
        var file = folder.PathOf("token");
        var token = Create(new SecretSource(null, file));
        Assert.That(await StatusAsync(token, "/populate", "Bearer one"), Is.EqualTo(401));
        await File.WriteAllTextAsync(file, "one\n");
        Assert.That(await StatusAsync(token, "/populate", "Bearer one"), Is.EqualTo(200));
        await File.WriteAllTextAsync(file, "two");
        Assert.That(await StatusAsync(token, "/populate", "Bearer one"), Is.EqualTo(401));
        await File.WriteAllTextAsync(file, "");
        Assert.That(await StatusAsync(token, "/populate", "Bearer "), Is.EqualTo(401));
    }

    private static ManagementToken Create(SecretSource source) =>
        new(source, new EnvironmentVariables([KeyValuePair.Create("TOKEN", Token)]), NullLogger<ManagementToken>.Instance);

    private static async Task<int> StatusAsync(ManagementToken? token, string path, string? authorization, IPAddress? client = null)
    {
        var context = new DefaultHttpContext();
        context.Connection.RemoteIpAddress = client;
        (context.Request.Method, context.Request.Path) = ("GET", path);
        if (authorization is not null)
            context.Request.Headers.Authorization = authorization;
        await new ManagementPages(Pages, token).RespondAsync(context);
        return context.Response.StatusCode;
    }

    private sealed class ClosedPage : IManagementPage
    {
        public string Path => "/populate";

        public bool IsOpen => false;

        public Task RespondAsync(HttpContext context) => context.Response.WriteAsync("ok");
    }
}
