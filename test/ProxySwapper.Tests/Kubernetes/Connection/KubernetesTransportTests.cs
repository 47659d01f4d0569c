using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using ProxySwapper.Kubernetes;
using ProxySwapper.Kubernetes.Connection;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Tests.Kubernetes.Connection;

/// <summary>TLS to a server that requires a client certificate, and whose own certificate is not for its address.</summary>
[TestFixture]
internal sealed class KubernetesTransportTests
{
    private readonly Authority _authority = new();
    private WebApplication _server = null!;
    private Uri _address = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder
            .WebHost.UseKestrelHttpsConfiguration()
            .ConfigureKestrel(kestrel =>
                kestrel.Listen(
                    IPAddress.Loopback,
                    0,
                    listen =>
                        listen.UseHttps(https =>
                        {
                            https.ServerCertificate = _authority.Issue("kubernetes.default.svc");
                            https.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
                            https.ClientCertificateValidation = (_, _, _) => true;
                        })
                )
            );
        _server = builder.Build();
        _server.Run(context => context.Response.WriteAsync($$"""{"subject":"{{context.Connection.ClientCertificate!.Subject}}"}"""));
        await _server.StartAsync();
        _address = new Uri(_server.Urls.Single());
    }

    [OneTimeTearDown]
    public ValueTask Stop() => _server.DisposeAsync();

    [Test]
    public async Task A_client_certificate_is_presented_and_the_servers_is_verified_for_the_configured_name()
    {
        using var client = Client(_authority.Pem);
        Assert.That((string?)(await client.GetAsync("/", default))!["subject"], Is.EqualTo("CN=admin"));
    }

    [Test]
    public void A_certificate_for_another_name_is_rejected()
    {
        using var client = Client(_authority.Pem, name: null);
        Assert.That(
            () => client.GetAsync("/", default),
            Throws.TypeOf<KubernetesException>().With.Message.Contains("RemoteCertificateNameMismatch")
        );
    }

    [Test]
    public void A_certificate_of_another_authority_is_rejected()
    {
        using var client = Client(new Authority().Pem);
        Assert.That(
            () => client.GetAsync("/", default),
            Throws.TypeOf<KubernetesException>().With.Message.Contains("errors in the certificate chain")
        );
    }

    [Test]
    public async Task Every_authority_of_a_bundle_is_trusted()
    {
        using var client = Client($"{new Authority().Pem}\n{_authority.Pem}\n{new Authority().Pem}");
        Assert.That(await client.GetAsync("/", default), Is.Not.Null);
    }

    [Test]
    public async Task An_authority_that_is_renewed_in_its_file_is_trusted_without_a_restart()
    {
        var time = new FakeTimeProvider();
        using var folder = new TemporaryFolder();
        var file = folder.Write("ca.crt", new Authority().Pem);
        using var client = new KubernetesClient(
            Connection() with
            {
                CertificateAuthorities = PemSource.OfFile(file),
                TlsServerName = "kubernetes.default.svc",
            },
            time
        );
        Assert.That(() => client.GetAsync("/", default), Throws.TypeOf<KubernetesException>());
        folder.Write("ca.crt", _authority.Pem);
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.That(await client.GetAsync("/", default), Is.Not.Null);
    }

    [TestCase(null, TestName = "Authorities_are_kept_while_their_file_is_gone")]
    [TestCase("", TestName = "Authorities_are_kept_while_their_file_is_empty")]
    [TestCase(
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        TestName = "Authorities_are_kept_while_their_file_is_not_valid"
    )]
    public async Task Authorities_are_kept_while_their_file_cannot_be_used(string? content)
    {
        var time = new FakeTimeProvider();
        var log = new CapturedLog();
        using var folder = new TemporaryFolder();
        var file = folder.Write("ca.crt", _authority.Pem);
        using var client = new KubernetesClient(
            Connection() with
            {
                CertificateAuthorities = PemSource.OfFile(file),
                TlsServerName = "kubernetes.default.svc",
            },
            time,
            log
        );
        Assert.That(await client.GetAsync("/", default), Is.Not.Null);
        File.Delete(file);
        if (content is not null)
            folder.Write("ca.crt", content);
        for (var request = 0; request < 3; request++)
        {
            time.Advance(TimeSpan.FromMinutes(1));
            Assert.That(await client.GetAsync("/", default), Is.Not.Null);
        }
        Assert.That(
            log.Lines.Select(line => line.Text),
            Has.One.StartsWith("Keeping the current certificate authorities of the API server: ").And.Exactly(1).Items
        );
        folder.Write("ca.crt", new Authority().Pem);
        Assert.That(() => client.GetAsync("/", default), Throws.TypeOf<KubernetesException>(), "the file is read again");
    }

    private KubernetesClient Client(string authority, string? name = "kubernetes.default.svc") =>
        new(
            Connection() with
            {
                CertificateAuthorities = PemSource.OfBase64(Base64(authority), "authority"),
                TlsServerName = name,
            },
            TimeProvider.System
        );

    private KubernetesConnection Connection()
    {
        using var admin = _authority.Issue("admin");
        var key = admin.GetECDsaPrivateKey()!;
        return new KubernetesConnection(
            _address,
            new FileCredentialSource(TimeProvider.System)
            {
                ClientCertificate = PemSource.OfBase64(Base64(admin.ExportCertificatePem()), "certificate"),
                ClientKey = PemSource.OfBase64(Base64(key.ExportPkcs8PrivateKeyPem()), "key"),
            }
        )
        {
            UsesEnvironmentProxy = false,
        };
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    private sealed class Authority
    {
        private readonly X509Certificate2 _certificate;

        public Authority()
        {
            var request = new CertificateRequest(
                "CN=authority of a test",
                ECDsa.Create(ECCurve.NamedCurves.nistP256),
                HashAlgorithmName.SHA256
            );
            request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
            // As real authorities do, so that the right one of several with the same name is found.
            request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
            _certificate = request.CreateSelfSigned(
                TimeProvider.System.GetUtcNow().AddHours(-1),
                TimeProvider.System.GetUtcNow().AddDays(2)
            );
        }

        public string Pem => _certificate.ExportCertificatePem();

        public X509Certificate2 Issue(string name)
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
            var names = new SubjectAlternativeNameBuilder();
            names.AddDnsName(name);
            request.CertificateExtensions.Add(names.Build());
            request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_certificate, true, false));
            using var bare = request.Create(
                _certificate,
                TimeProvider.System.GetUtcNow().AddHours(-1),
                TimeProvider.System.GetUtcNow().AddDays(1),
                [1, 2, 3]
            );
            using var whole = bare.CopyWithPrivateKey(key);
            return X509CertificateLoader.LoadPkcs12(whole.Export(X509ContentType.Pkcs12), null, X509KeyStorageFlags.Exportable);
        }
    }
}
