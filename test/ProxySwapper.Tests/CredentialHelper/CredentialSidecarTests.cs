using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging.Abstractions;
using ProxySwapper.Configuration;
using ProxySwapper.CredentialHelper;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Tests.CredentialHelper;

[TestFixture]
internal sealed class CredentialSidecarTests : IAsyncDisposable
{
    private const string Registry = "europe-docker.pkg.dev";

    private readonly Source _source = new();
    private WebApplication _app = null!;
    private HttpClient _credentials = null!;
    private HttpClient _management = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        var (port, management) = (TestProcess.FreePort(), TestProcess.FreePort());
        var options = new ProxySwapperOptions
        {
            ManagementPort = management,
            DrainDelay = TimeSpan.Zero,
            Registries = [new RegistryEntryOptions { Host = RegistryName.Parse(Registry) }],
        };
        _app = CredentialSidecar.Create(options, port, _source, NullLoggerFactory.Instance);
        await _app.StartAsync();
        _credentials = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
        _management = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{management}") };
    }

    [OneTimeTearDown]
    public async ValueTask DisposeAsync()
    {
        _credentials.Dispose();
        _management.Dispose();
        await _app.DisposeAsync();
    }

    [Test]
    public async Task A_credential_is_printed_in_the_format_of_Dockers_helpers()
    {
        _source.GetCredential = () => RegistryCredential.Basic("oauth2accesstoken", "ya29.\"secret\"");
        using var response = await GetCredentialAsync(Registry);
        Assert.That(
            await response.Content.ReadAsStringAsync(),
            Is.EqualTo("""{"ServerURL":"europe-docker.pkg.dev","Username":"oauth2accesstoken","Secret":"ya29.\u0022secret\u0022"}""")
        );
        Assert.That(response.Headers.CacheControl!.NoStore, Is.True);
    }

    [Test]
    public async Task A_refresh_token_is_the_password_of_Azures_token_user()
    {
        _source.GetCredential = () => RegistryCredential.Identity("refresh");
        using var response = await GetCredentialAsync(Registry);
        Assert.That(
            await response.Content.ReadAsStringAsync(),
            Does.Contain(
                """
                "Username":"00000000-0000-0000-0000-000000000000","Secret":"refresh"
                """.Trim()
            )
        );
    }

    [Test]
    public async Task A_source_that_fails_is_an_error_and_is_counted_and_shown_until_it_works_again()
    {
        var before = await CountAsync("failed");
        _source.GetCredential = () => throw new RegistryCredentialException("google: the metadata server returned 500");
        using var response = await GetCredentialAsync(Registry);
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.BadGateway));
        Assert.That(await CountAsync("failed"), Is.EqualTo(before + 1));
        Assert.That(
            await _management.GetStringAsync("/readyz?verbose"),
            Does.Contain("[+]credentials: europe-docker.pkg.dev: google: the metadata server returned 500")
        );
        _source.GetCredential = () => RegistryCredential.Basic("u", "p");
        using var second = await GetCredentialAsync(Registry);
        Assert.That(await _management.GetStringAsync("/readyz?verbose"), Does.Contain("[+]credentials ok"));
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task Having_no_credential_is_an_error_too(bool anonymous)
    {
        var before = await CountAsync("none");
        _source.GetCredential = () => anonymous ? RegistryCredential.Anonymous : null;
        using var response = await GetCredentialAsync(Registry);
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
        Assert.That(await CountAsync("none"), Is.EqualTo(before + 1));
    }

    [TestCase("quay.io")]
    [TestCase("")]
    [TestCase("europe-docker.pkg.dev/path")]
    [TestCase("europe-docker.pkg.dev.evil.example")]
    public async Task Only_registries_of_the_configuration_get_credentials(string host)
    {
        _source.GetCredential = () => throw new InvalidOperationException("It must not be called.");
        using var response = await GetCredentialAsync(host);
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.Forbidden));
    }

    [Test]
    public async Task The_management_port_serves_no_credentials_and_the_other_port_no_metrics()
    {
        _source.GetCredential = () => RegistryCredential.Basic("u", "p");
        using var onManagement = await _management.GetAsync($"/credential?host={Registry}");
        using var metrics = await _credentials.GetAsync("/metrics");
        Assert.That((onManagement.StatusCode, metrics.StatusCode), Is.EqualTo((HttpStatusCode.NotFound, HttpStatusCode.NotFound)));
    }

    [Test]
    public async Task Every_result_is_a_series_from_the_start() =>
        Assert.That(
            (await _management.GetStringAsync("/metrics"))
                .Split('\n')
                .Count(line => line.StartsWith("proxyswapper_credential_requests_total{", StringComparison.Ordinal)),
            Is.EqualTo(4)
        );

    private Task<HttpResponseMessage> GetCredentialAsync(string host) =>
        _credentials.GetAsync($"/credential?host={Uri.EscapeDataString(host)}");

    private async Task<int> CountAsync(string result)
    {
        var prefix = $"proxyswapper_credential_requests_total{{result=\"{result}\"}} ";
        var line = (await _management.GetStringAsync("/metrics"))
            .Split('\n')
            .Single(line => line.StartsWith(prefix, StringComparison.Ordinal));
        return int.Parse(line[prefix.Length..], System.Globalization.CultureInfo.InvariantCulture);
    }

    private sealed class Source : IRegistryCredentialSource
    {
        public Func<RegistryCredential?> GetCredential { get; set; } = () => null;

        public ValueTask<RegistryCredential?> GetAsync(ImageReference image, CancellationToken cancellationToken) => new(GetCredential());
    }
}
