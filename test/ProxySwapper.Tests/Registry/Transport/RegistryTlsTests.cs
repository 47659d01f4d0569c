using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Registry.Distribution;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Registry.Transport;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Registries;

namespace ProxySwapper.Tests.Registry.Transport;

[TestFixture]
internal sealed class RegistryTlsTests
{
    [Test]
    public async Task An_untrusted_certificate_is_rejected_at_once_and_never_bypassed_with_plain_HTTP()
    {
        using var certificates = new TestCertificates();
        await using var registry = await InMemoryRegistry.StartAsync(new InMemoryRegistryOptions { Certificate = ServerOf(certificates) });
        var time = RegistryScene.NewTime();
        var fault = Assert.ThrowsAsync<RegistryException>(() => PingAsync(registry, new RegistryHostOptions(), time))!;
        Assert.That(fault.Message, Does.Contain("certificate"));
        Assert.That((time.Skipped.Count, registry.Requests), Is.EqualTo((0, 0)));
    }

    [Test]
    public async Task A_CA_file_is_trusted_for_its_host()
    {
        using var certificates = new TestCertificates();
        await using var registry = await InMemoryRegistry.StartAsync(new InMemoryRegistryOptions { Certificate = ServerOf(certificates) });
        var folder = Directory.CreateTempSubdirectory();
        var file = Path.Combine(folder.FullName, "ca.crt");
        await File.WriteAllTextAsync(file, certificates.AuthorityPem);
        await PingAsync(registry, new RegistryHostOptions { CaFile = file });
        using var others = new TestCertificates();
        await File.WriteAllTextAsync(file, others.AuthorityPem);
        Assert.That(
            async () => await PingAsync(registry, new RegistryHostOptions { CaFile = file }),
            Throws.InstanceOf<RegistryException>()
        );
        folder.Delete(recursive: true);
    }

    /// <summary>Whoever has a client's certificate must not be able to pose as a registry.</summary>
    [TestCase("1.3.6.1.5.5.7.3.2", false)]
    [TestCase("1.3.6.1.5.5.7.3.1", true)]
    [TestCase(null, true)]
    public async Task A_certificate_of_a_CA_file_must_be_one_for_servers(string? usage, bool isTrusted)
    {
        using var certificates = new TestCertificates();
        var (certificate, key) = certificates.Issue(usages: usage is null ? [] : [usage]);
        using var own = X509Certificate2.CreateFromPem(certificate, key);
        using var folder = new TemporaryFolder();
        var file = folder.Write("ca.crt", certificates.AuthorityPem);
        // Not by Kestrel, which does not start with a client's certificate.
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var serving = ServeOnceAsync(listener, own);
        var name = RegistryName.Parse($"{listener.LocalEndpoint}");
        using var clients = new RegistryClients(
            RegistryScene.Options with
            {
                Hosts = new Dictionary<RegistryName, RegistryHostOptions> { [name] = new() { CaFile = file } },
                MaxRetries = 0,
            },
            RegistryScene.NewTime(),
            new CapturedLog()
        );
        var ping = clients.For(name, CredentialChain.Anonymous).PingAsync(default);
        if (isTrusted)
            await ping;
        else
            Assert.That(async () => await ping, Throws.InstanceOf<RegistryException>().With.Message.Contain("certificate"));
        Assert.That(await serving, Is.EqualTo(isTrusted), "whether a request was sent");
    }

    /// <summary>Responds to a request; false if there was none.</summary>
    private static async Task<bool> ServeOnceAsync(TcpListener listener, X509Certificate2 certificate)
    {
        try
        {
            using var client = await listener.AcceptTcpClientAsync();
            await using var tls = new SslStream(client.GetStream());
            await tls.AuthenticateAsServerAsync(certificate);
            if (await tls.ReadAsync(new byte[4096]) == 0)
                return false;
            await tls.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"u8.ToArray());
            return true;
        }
        catch (Exception fault) when (fault is IOException or AuthenticationException)
        {
            return false;
        }
    }

    /// <summary>A ConfigMap's file is a link to a file in a folder that is a link, which is what changes.</summary>
    [Test]
    public async Task A_CA_file_of_a_volume_is_read_again_after_the_volume_changed()
    {
        using var certificates = new TestCertificates();
        using var others = new TestCertificates();
        await using var registry = await InMemoryRegistry.StartAsync(new InMemoryRegistryOptions { Certificate = ServerOf(certificates) });
        var volume = Directory.CreateTempSubdirectory().FullName;
        foreach (var (name, authority) in new[] { ("..1", others.AuthorityPem), ("..2", certificates.AuthorityPem) })
        {
            Directory.CreateDirectory(Path.Combine(volume, name));
            await File.WriteAllTextAsync(Path.Combine(volume, name, "ca.crt"), authority);
        }
        var (file, data) = (Path.Combine(volume, "ca.crt"), Path.Combine(volume, "..data"));
        Directory.CreateSymbolicLink(data, "..1");
        File.CreateSymbolicLink(file, Path.Combine("..data", "ca.crt"));
        var host = RegistryName.Parse(registry.Address);
        var hosts = new Dictionary<RegistryName, RegistryHostOptions> { [host] = new() { CaFile = file } };
        using var clients = new RegistryClients(
            RegistryScene.Options with
            {
                Hosts = hosts,
                MaxRetries = 0,
            },
            RegistryScene.NewTime(),
            new CapturedLog()
        );
        var client = clients.For(host, CredentialChain.Anonymous);
        Assert.That(async () => await client.PingAsync(default), Throws.InstanceOf<RegistryException>());
        File.Delete(data);
        Directory.CreateSymbolicLink(data, "..2");
        await client.PingAsync(default);
        Directory.Delete(volume, recursive: true);
    }

    [TestCase(null, "Could not find")]
    [TestCase("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "")]
    public async Task A_CA_file_that_cannot_be_read_is_named_at_once(string? content, string reason)
    {
        using var certificates = new TestCertificates();
        await using var registry = await InMemoryRegistry.StartAsync(new InMemoryRegistryOptions { Certificate = ServerOf(certificates) });
        var folder = Directory.CreateTempSubdirectory();
        var file = Path.Combine(folder.FullName, "ca.crt");
        if (content is not null)
            await File.WriteAllTextAsync(file, content);
        var time = RegistryScene.NewTime();
        var fault = Assert.ThrowsAsync<RegistryException>(() => PingAsync(registry, new RegistryHostOptions { CaFile = file }, time))!;
        Assert.That(fault.Message, Does.Contain($"cannot read caFile {file}: {reason}"));
        Assert.That((fault.IsTransient, time.Skipped.Count), Is.EqualTo((false, 0)), "no pause before another attempt");
        folder.Delete(recursive: true);
    }

    [Test]
    public async Task Verification_can_be_skipped_for_a_host()
    {
        using var certificates = new TestCertificates();
        await using var registry = await InMemoryRegistry.StartAsync(new InMemoryRegistryOptions { Certificate = ServerOf(certificates) });
        await PingAsync(registry, new RegistryHostOptions { InsecureSkipTlsVerify = true });
        Assert.That(registry.Requests, Is.EqualTo(1));
    }

    [Test]
    public async Task A_host_that_is_not_local_is_reached_by_TLS_alone()
    {
        using var connections = new ConnectionPool();
        Uri Of(string name, RegistryHostOptions? host = null) =>
            new RegistryHost(
                RegistryName.Parse(name),
                new RegistryOptions
                {
                    Hosts = host is null
                        ? new Dictionary<RegistryName, RegistryHostOptions>()
                        : new() { [RegistryName.Parse(name)] = host },
                },
                connections,
                TimeProvider.System,
                new CapturedLog()
            )
                .AddressAsync(default)
                .AsTask()
                .GetAwaiter()
                .GetResult();
        Assert.That(Of("docker.io"), Is.EqualTo(new Uri("https://registry-1.docker.io/")));
        Assert.That(Of("harbor.example.com:8443"), Is.EqualTo(new Uri("https://harbor.example.com:8443/")));
        Assert.That(
            Of("harbor.example.com", new RegistryHostOptions { PlainHttp = true }),
            Is.EqualTo(new Uri("http://harbor.example.com/"))
        );
        Assert.That(Of("localhost:1"), Is.EqualTo(new Uri("http://localhost:1/")));
        await Task.CompletedTask;
    }

    [Test]
    public async Task From_https_nothing_is_redirected_to_http()
    {
        using var certificates = new TestCertificates();
        await using var plain = await InMemoryRegistry.StartAsync();
        await using var registry = await InMemoryRegistry.StartAsync(
            new InMemoryRegistryOptions
            {
                Certificate = ServerOf(certificates),
                Interceptor = (context, next) => RegistryFaults.RedirectToOrigin($"http://{plain.Address}")(context, next),
            }
        );
        Assert.That(
            async () => await PingAsync(registry, new RegistryHostOptions { InsecureSkipTlsVerify = true }),
            Throws.InstanceOf<RegistryException>().With.Message.Contain("not an https URL")
        );
        Assert.That(plain.Requests, Is.Zero);
    }

    [Test]
    public async Task Blobs_go_by_HTTP_1_1_where_a_registry_offers_more_a_connection_for_each()
    {
        using var certificates = new TestCertificates();
        var (protocols, connections) = (new ConcurrentBag<string>(), new ConcurrentBag<string>());
        using var both = new Barrier(2);
        await using var registry = await InMemoryRegistry.StartAsync(
            new InMemoryRegistryOptions
            {
                Certificate = ServerOf(certificates),
                Interceptor = async (context, next) =>
                {
                    protocols.Add(context.Request.Protocol);
                    connections.Add(context.Connection.Id);
                    await Task.Run(() => both.SignalAndWait(TimeSpan.FromSeconds(60)));
                    await next(context);
                },
            }
        );
        using (
            var client = new HttpClient(
                new SocketsHttpHandler
                {
                    SslOptions = { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null },
                }
            )
            {
                DefaultRequestVersion = new Version(2, 0),
            }
        )
        {
            await Task.WhenAll(
                client.GetAsync(new Uri($"https://{registry.Address}/v2/")),
                client.GetAsync(new Uri($"https://{registry.Address}/v2/"))
            );
            Assert.That(protocols, Is.All.EqualTo("HTTP/2"), "it does offer more");
        }
        protocols.Clear();
        connections.Clear();
        var options = RegistryScene.Options with
        {
            Hosts = new Dictionary<RegistryName, RegistryHostOptions>
            {
                [RegistryName.Parse(registry.Address)] = new() { InsecureSkipTlsVerify = true },
            },
        };
        using var clients = new RegistryClients(options, RegistryScene.NewTime(), new CapturedLog());
        await Task.WhenAll(
            new[] { "one", "two" }.Select(async content =>
            {
                var blob = registry.AddBlob("a", System.Text.Encoding.UTF8.GetBytes(content));
                await using var stream = await clients
                    .For(RegistryName.Parse(registry.Address), CredentialChain.Anonymous)
                    .OpenBlobAsync("a", blob, default);
                await stream.CopyToAsync(Stream.Null);
            })
        );
        Assert.That(protocols, Is.All.EqualTo("HTTP/1.1"));
        Assert.That(connections.Distinct().Count(), Is.EqualTo(2));
    }

    private static X509Certificate2 ServerOf(TestCertificates certificates)
    {
        var (certificate, key) = certificates.Issue();
        return X509Certificate2.CreateFromPem(certificate, key);
    }

    private static async Task PingAsync(InMemoryRegistry registry, RegistryHostOptions host, TimeProvider? time = null)
    {
        var options = RegistryScene.Options with
        {
            Hosts = new Dictionary<RegistryName, RegistryHostOptions> { [RegistryName.Parse(registry.Address)] = host },
        };
        using var clients = new RegistryClients(options, time ?? RegistryScene.NewTime(), new CapturedLog());
        await clients.For(RegistryName.Parse(registry.Address), CredentialChain.Anonymous).PingAsync(default);
    }
}
