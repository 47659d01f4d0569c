using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ProxySwapper.Kubernetes.Connection;

/// <summary>The authorities that are trusted to sign the certificate of the API server: one or more certificates as PEM.</summary>
internal static class CertificateAuthorities
{
    private const string Rule = "the certificate authorities of the API server must be PEM, with one certificate at least";

    /// <summary>What is wrong with a bundle of authorities, or null.</summary>
    public static string? Validate(string pem)
    {
        try
        {
            return Trusting(pem).CustomTrustStore.Count > 0 ? null : Rule;
        }
        catch (CryptographicException)
        {
            return Rule;
        }
    }

    /// <summary>Trusts a bundle, and nothing else.</summary>
    /// <exception cref="CryptographicException">It is not valid PEM.</exception>
    public static X509ChainPolicy Trusting(string pem)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPem(pem);
        return policy;
    }
}
