using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using ProxySwapper.Configuration;
using ProxySwapper.Management;
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

    [Test]
    public async Task Without_a_token_all_pages_are_open() => Assert.That(await StatusAsync(null, "/populate", null), Is.EqualTo(200));

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
        new(source, name => name == "TOKEN" ? Token : null, NullLogger<ManagementToken>.Instance);

    private static async Task<int> StatusAsync(ManagementToken? token, string path, string? authorization)
    {
        var context = new DefaultHttpContext();
        (context.Request.Method, context.Request.Path) = ("GET", path);
        if (authorization is not null)
            context.Request.Headers.Authorization = authorization;
        await new ManagementPages(Pages, token).AnswerAsync(context);
        return context.Response.StatusCode;
    }

    private sealed class ClosedPage : IManagementPage
    {
        public string Path => "/populate";

        public bool IsOpen => false;

        public Task AnswerAsync(HttpContext context) => context.Response.WriteAsync("ok");
    }
}
