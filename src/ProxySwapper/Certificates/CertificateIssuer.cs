using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ProxySwapper.Certificates;

/// <summary>
/// Issues a certificate authority and serving certificates, ECDSA on P-256 (<see href="https://www.rfc-editor.org/rfc/rfc5280">RFC
/// 5280</see>), and decides when they are renewed.
/// </summary>
internal sealed class CertificateIssuer(IReadOnlyList<string> dnsNames, TimeProvider time)
{
    private const int SerialNumberLength = 16;
    private static readonly TimeSpan AuthorityLifetime = TimeSpan.FromDays(3650);
    private static readonly TimeSpan AuthorityRenewal = TimeSpan.FromDays(365);
    private static readonly TimeSpan CertificateLifetime = TimeSpan.FromDays(90);
    private static readonly TimeSpan CertificateRenewal = TimeSpan.FromDays(30);

    /// <summary>Backdating: the clocks of API servers may be behind ours.</summary>
    private static readonly TimeSpan ClockSkew = TimeSpan.FromHours(1);

    /// <summary>Creates a new authority with a certificate.</summary>
    public CertificateSet Create()
    {
        var (authority, key) = CreateAuthority();
        using (authority)
        using (key)
            return Issue(authority, key, authority.ExportCertificatePem());
    }

    /// <summary>
    /// The set that replaces this one now, or null while it is valid. An authority is replaced in two steps, so that no API server meets a
    /// certificate of an authority that it does not know yet: the new authority first joins the old one, and signs the certificate only
    /// once both are published, or the old certificate has expired.
    /// </summary>
    /// <param name="current">The current set.</param>
    /// <param name="isPublished">True if API servers have had the set's authorities for long enough.</param>
    public CertificateSet? Renew(CertificateSet current, bool isPublished)
    {
        var now = time.GetUtcNow();
        var authorities = current.ReadAuthorities();
        var kept = string.Join('\n', authorities.Where(one => one.NotAfter > now).Select(one => one.ExportCertificatePem()));
        using var certificate = current.ReadCertificate();
        if (authorities[0].NotAfter - AuthorityRenewal <= now)
        {
            var (added, addedKey) = CreateAuthority();
            using (added)
            using (addedKey)
            {
                var both = $"{added.ExportCertificatePem()}\n{kept}";
                // An expired certificate is not trusted anyway, so there is nothing to wait for.
                return certificate.NotAfter <= now
                    ? Issue(added, addedKey, both)
                    : current with
                    {
                        Authorities = both,
                        AuthorityKey = addedKey.ExportPkcs8PrivateKeyPem(),
                    };
            }
        }
        var isOfCurrentAuthority = certificate.IssuerName.RawData.AsSpan().SequenceEqual(authorities[0].SubjectName.RawData);
        var isDue = certificate.NotAfter - CertificateRenewal <= now || !HasNames(certificate);
        if (isOfCurrentAuthority ? !isDue : !isPublished && certificate.NotAfter > now)
            return null;
        using var key = ECDsa.Create();
        key.ImportFromPem(current.AuthorityKey);
        return Issue(authorities[0], key, kept);
    }

    private (X509Certificate2 Certificate, ECDsa Key) CreateAuthority()
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        // Each authority has its own name, so that a certificate's issuer says which one signed it.
        var name = new X500DistinguishedName($"CN=proxyswapper-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}");
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        var now = time.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now - ClockSkew, now + AuthorityLifetime);
        return (X509CertificateLoader.LoadCertificate(certificate.RawData), key);
    }

    private CertificateSet Issue(X509Certificate2 authority, ECDsa authorityKey, string authorities)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={dnsNames[0]}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        foreach (var name in dnsNames)
            names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1", "serverAuth")], false));
        request.CertificateExtensions.Add(
            X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority, includeKeyIdentifier: true, includeIssuerAndSerial: false)
        );
        var now = time.GetUtcNow();
        var end = now + CertificateLifetime;
        using var certificate = request.Create(
            authority.SubjectName,
            X509SignatureGenerator.CreateForECDsa(authorityKey),
            now - ClockSkew,
            end < authority.NotAfter ? end : authority.NotAfter,
            RandomNumberGenerator.GetBytes(SerialNumberLength)
        );
        return new CertificateSet(
            authorities,
            authorityKey.ExportPkcs8PrivateKeyPem(),
            certificate.ExportCertificatePem(),
            key.ExportPkcs8PrivateKeyPem()
        );
    }

    private bool HasNames(X509Certificate2 certificate) =>
        certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().FirstOrDefault() is { } names
        && dnsNames.All(name => names.EnumerateDnsNames().Contains(name, StringComparer.OrdinalIgnoreCase));
}
