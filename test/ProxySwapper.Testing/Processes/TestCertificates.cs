using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ProxySwapper.Testing.Processes;

/// <summary>A certificate authority for one test, and the certificates it issues.</summary>
internal sealed class TestCertificates : IDisposable
{
    private readonly X509Certificate2 _authority;

    public TestCertificates()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        _authority = AuthorityRequest("CN=test authority", key).CreateSelfSigned(Start, Start.AddYears(10));
    }

    private TestCertificates(X509Certificate2 authority) => _authority = authority;

    private static DateTimeOffset Start => TimeProvider.System.GetUtcNow().AddDays(-1);

    public X509Certificate2 Authority => X509CertificateLoader.LoadCertificate(_authority.RawData);

    public string AuthorityPem => _authority.ExportCertificatePem();

    /// <summary>A server certificate for these names and the loopback names.</summary>
    public X509Certificate2 IssueServer(params IReadOnlyList<string> names)
    {
        var (certificate, key) = Issue(names: names);
        return X509Certificate2.CreateFromPem(certificate, key);
    }

    /// <summary>A certificate for the loopback names and others, or a client certificate of a user with groups, as PEM.</summary>
    public (string Certificate, string Key) Issue(
        string commonName = "localhost",
        IReadOnlyList<string>? groups = null,
        RSA? rsa = null,
        int days = 365,
        IReadOnlyList<string>? names = null,
        IReadOnlyList<string>? usages = null,
        DateTimeOffset? start = null
    )
    {
        var subject = $"CN={commonName}{string.Concat((groups ?? []).Select(group => $",O={group}"))}";
        using var ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = rsa is null
            ? new CertificateRequest(subject, ecdsa, HashAlgorithmName.SHA256)
            : new CertificateRequest(subject, rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var name in names ?? [])
            alternatives.AddDnsName(name);
        alternatives.AddDnsName("localhost");
        alternatives.AddIpAddress(IPAddress.Loopback);
        alternatives.AddIpAddress(IPAddress.IPv6Loopback);
        request.CertificateExtensions.Add(alternatives.Build());
        usages ??= ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"];
        if (usages.Count > 0)
            request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([.. usages.Select(usage => new Oid(usage))], false));
        using var authorityKey = _authority.GetECDsaPrivateKey()!;
        using var certificate = request.Create(
            _authority.SubjectName,
            X509SignatureGenerator.CreateForECDsa(authorityKey),
            start ?? Start,
            (start ?? Start).AddDays(days),
            RandomNumberGenerator.GetBytes(8)
        );
        return (certificate.ExportCertificatePem(), rsa?.ExportPkcs8PrivateKeyPem() ?? ecdsa.ExportPkcs8PrivateKeyPem());
    }

    /// <summary>An intermediate authority.</summary>
    public TestCertificates Intermediate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var authorityKey = _authority.GetECDsaPrivateKey()!;
        using var certificate = AuthorityRequest("CN=test intermediate", key)
            .Create(
                _authority.SubjectName,
                X509SignatureGenerator.CreateForECDsa(authorityKey),
                Start,
                Start.AddYears(5),
                RandomNumberGenerator.GetBytes(8)
            );
        return new TestCertificates(certificate.CopyWithPrivateKey(key));
    }

    /// <summary>Writes tls.crt, tls.key and ca.crt into a folder.</summary>
    public void WriteTo(string folder)
    {
        var (certificate, key) = Issue();
        File.WriteAllText(Path.Combine(folder, "tls.crt"), certificate);
        File.WriteAllText(Path.Combine(folder, "tls.key"), key);
        File.WriteAllText(Path.Combine(folder, "ca.crt"), AuthorityPem);
    }

    /// <summary>Verifies a server's chain against this authority, for an HTTP client.</summary>
    public bool HasSigned(X509Certificate2? certificate)
    {
        if (certificate is null)
            return false;
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(Authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return chain.Build(certificate);
    }

    public void Dispose() => _authority.Dispose();

    private static CertificateRequest AuthorityRequest(string name, ECDsa key)
    {
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        return request;
    }
}
