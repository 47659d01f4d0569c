using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ProxySwapper.Demo;

/// <summary>A certificate for localhost, valid for an hour, in a folder that is deleted on disposal.</summary>
internal sealed class DemoCertificate : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("proxyswapper-demo-");
    private readonly X509Certificate2 _certificate;

    public DemoCertificate(TimeProvider time)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        _certificate = request.CreateSelfSigned(time.GetUtcNow().AddMinutes(-5), time.GetUtcNow().AddHours(1));
        File.WriteAllText(CertificateFile, _certificate.ExportCertificatePem());
        File.WriteAllText(KeyFile, key.ExportPkcs8PrivateKeyPem()); // only this user can read the folder
    }

    /// <summary>The authority in the format of a webhook configuration.</summary>
    public string CaBundle => Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(_certificate.ExportCertificatePem()));

    public string CertificateFile => Path.Combine(_folder.FullName, "tls.crt");

    /// <summary>A file next to the certificate.</summary>
    public string FileOf(string name) => Path.Combine(_folder.FullName, name);

    public string KeyFile => Path.Combine(_folder.FullName, "tls.key");

    /// <summary>A client that trusts only this certificate and verifies name, dates and signature.</summary>
    public HttpClient CreateClient(Uri address) =>
        new(
            new SocketsHttpHandler
            {
                SslOptions =
                {
                    CertificateChainPolicy = new X509ChainPolicy
                    {
                        TrustMode = X509ChainTrustMode.CustomRootTrust,
                        CustomTrustStore = { _certificate },
                        RevocationMode = X509RevocationMode.NoCheck,
                    },
                },
            }
        )
        {
            BaseAddress = address,
        };

    public void Dispose()
    {
        _certificate.Dispose();
        _folder.Delete(recursive: true);
    }
}
