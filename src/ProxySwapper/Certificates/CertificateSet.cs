using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;

namespace ProxySwapper.Certificates;

/// <summary>A certificate with its key and the authorities that signed it and will sign the next, all in PEM (RFC 7468).</summary>
/// <param name="Authorities">The current authority first, then earlier ones that have not expired: what clients trust.</param>
/// <param name="AuthorityKey">The current authority's key.</param>
/// <param name="Certificate">The serving certificate.</param>
/// <param name="Key">Its key.</param>
internal sealed record CertificateSet(string Authorities, string AuthorityKey, string Certificate, string Key)
{
    private const string AuthoritiesKey = "ca.crt";
    private const string AuthorityKeyKey = "ca.key";
    private const string CertificateKey = "tls.crt";
    private const string KeyKey = "tls.key";

    /// <summary>The set of a Secret; null if anything is missing or not valid.</summary>
    public static CertificateSet? Read(JsonObject secret)
    {
        if (secret["data"] is not JsonObject data)
            return null;
        return
            (Text(data, AuthoritiesKey), Text(data, AuthorityKeyKey), Text(data, CertificateKey), Text(data, KeyKey))
                is ({ } authorities, { } authorityKey, { } certificate, { } key)
            && new CertificateSet(authorities, authorityKey, certificate, key) is var set
            && set.IsUsable()
            ? set
            : null;
    }

    /// <summary>The Secret's <c>data</c>.</summary>
    public JsonObject ToData() =>
        new()
        {
            [AuthoritiesKey] = Base64(Authorities),
            [AuthorityKeyKey] = Base64(AuthorityKey),
            [CertificateKey] = Base64(Certificate),
            [KeyKey] = Base64(Key),
        };

    /// <summary>The serving certificate without its key; the caller disposes of it.</summary>
    public X509Certificate2 ReadCertificate() => X509Certificate2.CreateFromPem(Certificate);

    /// <summary>The authorities, current one first; the caller disposes of them.</summary>
    public X509Certificate2Collection ReadAuthorities()
    {
        var all = new X509Certificate2Collection();
        all.ImportFromPem(Authorities);
        return all;
    }

    private bool IsUsable()
    {
        try
        {
            using var certificate = X509Certificate2.CreateFromPem(Certificate, Key);
            var authorities = ReadAuthorities();
            using var authority = X509Certificate2.CreateFromPem(authorities[0].ExportCertificatePem(), AuthorityKey);
            return certificate.HasPrivateKey && authority.HasPrivateKey;
        }
        catch (Exception problem) when (problem is CryptographicException or ArgumentException)
        {
            return false;
        }
    }

    private static string? Text(JsonObject data, string name)
    {
        try
        {
            return data[name] is JsonValue value && value.TryGetValue<string>(out var text)
                ? Encoding.UTF8.GetString(Convert.FromBase64String(text))
                : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
