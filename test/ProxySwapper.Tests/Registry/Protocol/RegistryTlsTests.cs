using System.Security.Cryptography.X509Certificates;
using ProxySwapper.Demo;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Registry.Protocol;
using ProxySwapper.Testing;

namespace ProxySwapper.Tests.Registry.Protocol;

[TestFixture]
internal sealed class RegistryTlsTests
{
    [Test]
    public async Task A_certificate_that_nobody_vouches_for_is_refused_at_once_and_never_answered_with_plain_HTTP()
    {
        using var certificates = new TestCertificates();
        await using var registry = await EmbeddedRegistry.StartAsync(new EmbeddedRegistryOptions { Certificate = ServerOf(certificates) });
        var time = RegistryScene.NewTime();
        var fault = Assert.ThrowsAsync<RegistryException>(() => PingAsync(registry, new RegistryHostOptions(), time))!;
        Assert.That(fault.Message, Does.Contain("certificate"));
        Assert.That((time.Skipped.Count, registry.Requests), Is.EqualTo((0, 0)));
    }

    [Test]
    public async Task A_CA_file_vouches_for_its_host()
    {
        using var certificates = new TestCertificates();
        await using var registry = await EmbeddedRegistry.StartAsync(new EmbeddedRegistryOptions { Certificate = ServerOf(certificates) });
        var folder = Directory.CreateTempSubdirectory();
        var file = Path.Combine(folder.FullName, "ca.crt");
        await File.WriteAllTextAsync(file, certificates.AuthorityPem);
        await PingAsync(registry, new RegistryHostOptions { CaFile = file });
        using var others = new TestCertificates();
        await File.WriteAllTextAsync(file, others.AuthorityPem);
        Assert.That(async () => await PingAsync(registry, new RegistryHostOptions { CaFile = file }), Throws.InstanceOf<RegistryException>());
        folder.Delete(recursive: true);
    }

    [Test]
    public async Task Verification_can_be_skipped_for_a_host()
    {
        using var certificates = new TestCertificates();
        await using var registry = await EmbeddedRegistry.StartAsync(new EmbeddedRegistryOptions { Certificate = ServerOf(certificates) });
        await PingAsync(registry, new RegistryHostOptions { InsecureSkipTlsVerify = true });
        Assert.That(registry.Requests, Is.EqualTo(1));
    }

    [Test]
    public async Task A_host_that_is_not_local_is_reached_by_TLS_alone()
    {
        using var connections = new HttpConnections();
        Uri Of(string name, RegistryHostOptions? host = null) => new RegistryHost(
            name, new RegistryOptions { Hosts = host is null ? new Dictionary<string, RegistryHostOptions>() : new() { [name] = host } }, connections, TimeProvider.System, new CapturedLog())
            .AddressAsync(default).AsTask().GetAwaiter().GetResult();
        Assert.That(Of("docker.io"), Is.EqualTo(new Uri("https://registry-1.docker.io/")));
        Assert.That(Of("harbor.example.com:8443"), Is.EqualTo(new Uri("https://harbor.example.com:8443/")));
        Assert.That(Of("harbor.example.com", new RegistryHostOptions { PlainHttp = true }), Is.EqualTo(new Uri("http://harbor.example.com/")));
        Assert.That(Of("localhost:1"), Is.EqualTo(new Uri("http://localhost:1/")));
        await Task.CompletedTask;
    }

    [Test]
    public async Task From_https_nothing_is_redirected_to_http()
    {
        using var certificates = new TestCertificates();
        await using var plain = await EmbeddedRegistry.StartAsync();
        await using var registry = await EmbeddedRegistry.StartAsync(new EmbeddedRegistryOptions { Certificate = ServerOf(certificates), Interceptor = (context, next) => RegistryFaults.RedirectToOrigin($"http://{plain.Address}")(context, next) });
        Assert.That(async () => await PingAsync(registry, new RegistryHostOptions { InsecureSkipTlsVerify = true }), Throws.InstanceOf<RegistryException>().With.Message.Contain("no https"));
        Assert.That(plain.Requests, Is.Zero);
    }

    private static X509Certificate2 ServerOf(TestCertificates certificates)
    {
        var (certificate, key) = certificates.Issue();
        return X509Certificate2.CreateFromPem(certificate, key);
    }

    private static async Task PingAsync(EmbeddedRegistry registry, RegistryHostOptions host, TimeProvider? time = null)
    {
        var options = RegistryScene.Options with { Hosts = new Dictionary<string, RegistryHostOptions> { [registry.Address] = host } };
        using var clients = new RegistryClients(options, time ?? RegistryScene.NewTime(), new CapturedLog());
        await clients.For(registry.Address, CredentialChain.Anonymous).PingAsync(default);
    }
}
