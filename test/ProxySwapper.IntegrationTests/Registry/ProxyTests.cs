using ProxySwapper.Registry.InMemory;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Registries;

namespace ProxySwapper.IntegrationTests.Registry;

/// <summary>Proxies from the environment, in the built program.</summary>
[TestFixture]
internal sealed class ProxyTests
{
    private const string Host = "registry.example.invalid";

    [Test]
    public async Task A_registry_is_reached_through_the_proxy_of_HTTPS_PROXY_and_a_local_one_is_not()
    {
        using var certificates = new TestCertificates();
        using var folder = new TemporaryFolder();
        folder.Write("ca.crt", certificates.AuthorityPem);
        await using var scene = await ProxyScene.StartAsync(new InMemoryRegistryOptions { Certificate = certificates.IssueServer(Host) });
        var result = await scene.CopyAsync(folder, $"caFile: {folder.PathOf("ca.crt")}", ("HTTPS_PROXY", scene.Proxy.Url));
        Assert.That((result.ExitCode, scene.IsCopied), Is.EqualTo((0, true)), result.Output + result.Error);
        Assert.That(scene.Proxy.Requests, Is.Not.Empty.And.All.EqualTo($"CONNECT {Host}:443"));
    }

    [Test]
    public async Task A_registry_without_TLS_is_reached_through_the_proxy_of_HTTP_PROXY()
    {
        using var folder = new TemporaryFolder();
        await using var scene = await ProxyScene.StartAsync(new InMemoryRegistryOptions());
        var result = await scene.CopyAsync(folder, "plainHttp: true", ("HTTP_PROXY", scene.Proxy.Url));
        Assert.That((result.ExitCode, scene.IsCopied), Is.EqualTo((0, true)), result.Output + result.Error);
        Assert.That(scene.Proxy.Requests, Is.Not.Empty.And.All.Contain($" http://{Host}/v2/team/app/"));
    }

    [TestCase("secret", 0)]
    [TestCase("another", 1)]
    public async Task A_proxy_gets_the_password_of_its_address_and_errors_do_not(string password, int exitCode)
    {
        using var certificates = new TestCertificates();
        using var folder = new TemporaryFolder();
        folder.Write("ca.crt", certificates.AuthorityPem);
        await using var scene = await ProxyScene.StartAsync(new InMemoryRegistryOptions { Certificate = certificates.IssueServer(Host) });
        scene.Proxy.Login = $"me:{password}";
        var result = await scene.CopyAsync(
            folder,
            $"caFile: {folder.PathOf("ca.crt")}",
            ("HTTPS_PROXY", $"http://me:secret@{scene.Proxy.Address}")
        );
        Assert.That((result.ExitCode, scene.IsCopied), Is.EqualTo((exitCode, exitCode == 0)), result.Output + result.Error);
        Assert.That(result.Error, Does.Not.Contain("secret").And.Contain(exitCode == 0 ? "" : $"to proxy '{scene.Proxy.Url}/' failed"));
    }

    [Test]
    public async Task NO_PROXY_keeps_a_registry_from_the_proxy()
    {
        using var folder = new TemporaryFolder();
        await using var scene = await ProxyScene.StartAsync(new InMemoryRegistryOptions());
        var result = await scene.CopyAsync(
            folder,
            "plainHttp: true",
            ("HTTP_PROXY", scene.Proxy.Url),
            ("NO_PROXY", "example.org,.example.invalid")
        );
        Assert.That(result.ExitCode, Is.EqualTo(1));
        Assert.That(result.Error, Does.Contain($"HEAD {Host}/team/app:1: no response"));
        Assert.That(scene.Proxy.Requests, Is.Empty);
    }

    [TestCase("169.254.169.254", "HTTPS_PROXY", "")]
    [TestCase("169.254.169.254", "HTTP_PROXY", "plainHttp: true")]
    [TestCase("100.100.100.200:8080", "HTTPS_PROXY", "")]
    public async Task A_proxy_is_not_used_for_an_address_of_cloud_metadata(string host, string proxy, string settings)
    {
        using var folder = new TemporaryFolder();
        await using var scene = await ProxyScene.StartAsync(new InMemoryRegistryOptions());
        var result = await scene.CopyAsync(folder, settings, [(proxy, scene.Proxy.Url)], host);
        Assert.That(result.ExitCode, Is.EqualTo(1));
        Assert.That(
            result.Error,
            Does.Contain($"{host.Split(':')[0]} is a link-local or cloud metadata address: connections to it are not allowed")
        );
        Assert.That(scene.Proxy.Requests, Is.Empty);
    }

    private sealed class ProxyScene : IAsyncDisposable
    {
        private readonly InMemoryRegistry _source;
        private readonly InMemoryRegistry _target;
        private readonly TestImage _image = TestImage.Create(1);

        private ProxyScene(InMemoryRegistry source, InMemoryRegistry target)
        {
            (_source, _target, Proxy) = (source, target, new ForwardProxy(source.Address));
            _image.AddTo(source, "team/app", "1");
        }

        public ForwardProxy Proxy { get; }

        public bool IsCopied => _target.Repository("copied").Tags.TryGetValue("1", out var digest) && digest == _image.Top.Digest;

        public static async Task<ProxyScene> StartAsync(InMemoryRegistryOptions source) =>
            new(await InMemoryRegistry.StartAsync(source), await InMemoryRegistry.StartAsync(new InMemoryRegistryOptions()));

        public Task<(int ExitCode, string Output, string Error)> CopyAsync(
            TemporaryFolder folder,
            string settings,
            params (string Name, string? Value)[] environment
        ) => CopyAsync(folder, settings, environment, Host);

        public Task<(int ExitCode, string Output, string Error)> CopyAsync(
            TemporaryFolder folder,
            string settings,
            (string Name, string? Value)[] environment,
            string host
        )
        {
            var config = folder.PathOf("config.yaml");
            File.WriteAllText(config, $"registries: [{{host: \"{host}\", {settings}}}]");
            // Proxy variables of this machine, also in lower case, must not interfere.
            string[] names = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"];
            var cleared = names.SelectMany(name => new (string, string?)[] { (name, null), (name.ToLowerInvariant(), null) });
            return ProxySwapperProgram.RunAsync(
                ["copy", "--config", config, $"{host}/team/app:1", $"{_target.Address}/copied:1"],
                [.. cleared, .. environment]
            );
        }

        public async ValueTask DisposeAsync()
        {
            await Proxy.DisposeAsync();
            await _source.DisposeAsync();
            await _target.DisposeAsync();
        }
    }
}
