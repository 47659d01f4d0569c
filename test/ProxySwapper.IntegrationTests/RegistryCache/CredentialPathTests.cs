using System.ComponentModel;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ProxySwapper.Testing.Clouds;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.IntegrationTests.RegistryCache;

/// <summary>
/// The path of a cloud's credential: Distribution starts the rendered script, which calls the sidecar, which calls the metadata server;
/// the upstream exchanges it. If Distribution 3 is not on the PATH, this test does what its
/// <c>proxy.exec</c> does.
/// </summary>
[TestFixture, NeedsServer]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed partial class CredentialPathTests : IAsyncDisposable
{
    private GoogleCloud _google = null!;
    private RenderedCache _cache = null!;
    private TestProcess _sidecar = null!;
    private HttpClient _management = null!;

    [SetUp]
    public async Task Start()
    {
        _google = await GoogleCloud.StartAsync();
        _cache = await RenderedCache.CreateAsync("google", _google.Address);
        _sidecar = ProxySwapperProgram.Start(
            ["credential", "serve", "--config", _cache.CredentialsFile, "--port", $"{_cache.CredentialPort}"],
            ("GCE_METADATA_HOST", _google.Address),
            ("GOOGLE_APPLICATION_CREDENTIALS", ""),
            ("HOME", Path.GetTempPath())
        );
        _management = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{_cache.ManagementPort}") };
        await TestWait.UntilAsync(IsReadyAsync, "the sidecar's readiness");
    }

    /// <summary>Called by the runner after each test, since each has its own instance.</summary>
    public async ValueTask DisposeAsync()
    {
        _sidecar.Dispose();
        _management.Dispose();
        _cache.Dispose();
        await _google.DisposeAsync();
    }

    [Test]
    public async Task An_image_of_a_private_upstream_is_pulled_with_the_clouds_credential()
    {
        var digest = await Distribution.IsThreeHereAsync() ? await PullThroughDistributionAsync() : await PullAsDistributionDoesAsync();
        Assert.That(digest, Is.EqualTo(_google.Manifest.Digest.ToString()));
        Assert.That(_google.TokensTaken, Is.GreaterThan(0));
        Assert.That(await CountAsync("ok"), Is.GreaterThan(0));
        Assert.That(_sidecar.Output, Does.Not.Contain(_google.AccessToken));
    }

    [TestCase("sh")]
    [TestCase("busybox")]
    public async Task The_script_prints_what_Distribution_reads(string shell)
    {
        var (exitCode, output, error) = await RunHelperAsync(_google.Address, shell: shell);
        Assert.That((exitCode, error), Is.EqualTo((0, "")));
        Assert.That(
            output.Trim(),
            Is.EqualTo($$"""{"ServerURL":"{{_google.Address}}","Username":"oauth2accesstoken","Secret":"{{_google.AccessToken}}"}""")
        );
    }

    [TestCase("sh")]
    [TestCase("busybox")]
    public async Task A_metadata_server_that_fails_is_an_error_of_the_script_and_shows_in_log_and_metric(string shell)
    {
        _google.MetadataFails = true;
        var (exitCode, output, _) = await RunHelperAsync(_google.Address, shell: shell);
        Assert.That(
            (exitCode, output),
            Is.EqualTo((1, $"the credential sidecar has no credential for {_google.Address}; its log says why\n"))
        );
        Assert.That(await CountAsync("failed"), Is.EqualTo(1));
        Assert.That(_sidecar.Output, Does.Contain(_google.Address).And.Contain("continues anonymously"));
        _google.MetadataFails = false;
        Assert.That((await RunHelperAsync(_google.Address, shell: shell)).ExitCode, Is.Zero);
    }

    [TestCase("registry-1.docker.io")]
    [TestCase("")]
    [TestCase("a b")]
    [TestCase("x/../y")]
    [TestCase("$(id)")]
    public async Task Only_the_upstream_has_a_credential(string host) => Assert.That((await RunHelperAsync(host)).ExitCode, Is.EqualTo(1));

    [TestCase("store")]
    [TestCase("list")]
    public async Task The_script_does_nothing_but_get(string verb) =>
        Assert.That(await RunHelperAsync(_google.Address, verb), Is.EqualTo((1, "only get is supported\n", "")));

    [Test]
    public async Task A_sidecar_that_is_gone_is_an_error_of_the_script()
    {
        _sidecar.KillNow();
        await _sidecar.WaitForExitAsync();
        Assert.That((await RunHelperAsync(_google.Address)).ExitCode, Is.EqualTo(1));
    }

    [Test]
    public async Task A_proxy_for_the_upstream_is_not_used_for_the_credential()
    {
        var environment = new Dictionary<string, string> { ["http_proxy"] = "http://127.0.0.1:1", ["HTTP_PROXY"] = "http://127.0.0.1:1" };
        Assert.That((await RunHelperAsync(_google.Address, environment: environment)).ExitCode, Is.Zero);
    }

    /// <summary>Starts the script as Distribution does: without a shell, with one argument, the bare host on standard input.</summary>
    private async Task<(int ExitCode, string Output, string Error)> RunHelperAsync(
        string host,
        string verb = "get",
        string shell = "",
        Dictionary<string, string>? environment = null
    )
    {
        if (shell.Length == 0)
            return await TestProcess.RunAsync(_cache.Helper, [verb], environment, host);
        if (shell != "busybox")
            return await TestProcess.RunAsync(shell, [_cache.Helper, verb], environment, host);
        // The image registry:3 is Alpine, and has busybox's sh and wget.
        using var tools = new TemporaryFolder();
        try
        {
            await TestProcess.RunAsync("busybox", ["--install", "-s", Path.GetDirectoryName(tools.PathOf("x"))!]);
        }
        catch (Win32Exception fault)
        {
            throw new InvalidOperationException("This test needs busybox: apt-get install busybox, or run test/run, which does.", fault);
        }
        return await TestProcess.RunAsync(
            tools.PathOf("sh"),
            [_cache.Helper, verb],
            new Dictionary<string, string> { ["PATH"] = Path.GetDirectoryName(tools.PathOf("x"))! },
            host
        );
    }

    private async Task<string> PullThroughDistributionAsync()
    {
        using var distribution = await Distribution.StartAsync(_cache);
        using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{_cache.Port}") };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
            "Basic",
            Convert.ToBase64String("puller:correct horse"u8)
        );
        client.DefaultRequestHeaders.Accept.ParseAdd("application/vnd.oci.image.manifest.v1+json");
        using var response = await client.GetAsync($"/v2/{GoogleCloud.Repository}/manifests/1");
        Assert.That(response.IsSuccessStatusCode, Is.True, distribution.Output);
        return response.Headers.GetValues("Docker-Content-Digest").Single();
    }

    private async Task<string> PullAsDistributionDoesAsync()
    {
        using var client = new HttpClient { BaseAddress = new Uri($"http://{_google.Address}") };
        client.DefaultRequestHeaders.Accept.ParseAdd("application/vnd.oci.image.manifest.v1+json");
        using var challenge = await client.GetAsync($"/v2/{GoogleCloud.Repository}/manifests/1");
        var realm = new Uri(Realm().Match(challenge.Headers.WwwAuthenticate.Single().Parameter!).Groups[1].Value);
        var (exitCode, output, _) = await RunHelperAsync(realm.Authority);
        Assert.That(exitCode, Is.Zero, output);
        var credential = JsonNode.Parse(output)!;
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{realm}?scope=repository:{GoogleCloud.Repository}:pull");
        request.Headers.Authorization = new AuthenticationHeaderValue(
            "Basic",
            Convert.ToBase64String(Encoding.UTF8.GetBytes($"{credential["Username"]}:{credential["Secret"]}"))
        );
        using var token = await client.SendAsync(request);
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
            "Bearer",
            (string)JsonNode.Parse(await token.Content.ReadAsStringAsync())!["token"]!
        );
        using var response = await client.GetAsync($"/v2/{GoogleCloud.Repository}/manifests/1");
        return response.Headers.GetValues("Docker-Content-Digest").Single();
    }

    private async Task<bool> IsReadyAsync()
    {
        if (_sidecar.HasExited)
            throw new InvalidOperationException($"credential serve ended: {_sidecar.Output}");
        try
        {
            using var response = await _management.GetAsync("/readyz");
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private async Task<int> CountAsync(string result)
    {
        var match = Regex.Match(
            await _management.GetStringAsync("/metrics"),
            $"^proxyswapper_credential_requests_total{{result=\"{result}\"}} (\\d+)",
            RegexOptions.Multiline
        );
        return int.Parse(match.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture);
    }

    [GeneratedRegex("realm=\"([^\"]+)\"")]
    private static partial Regex Realm();
}
