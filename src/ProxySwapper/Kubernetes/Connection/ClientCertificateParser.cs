using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ProxySwapper.Kubernetes.Connection;

/// <summary>Parses client certificates.</summary>
internal static class ClientCertificateParser
{
    /// <summary>What it must be, for a message: the system's own words fit no kubeconfig.</summary>
    public const string Rule = "it must be PEM, with its own private key, which must not be encrypted";

    /// <summary>A certificate with its key, usable for TLS on every platform.</summary>
    /// <exception cref="CryptographicException">The text is not a certificate, or the key does not match it.</exception>
    public static X509Certificate2 Parse(string certificate, string key)
    {
        try
        {
            var parsed = X509Certificate2.CreateFromPem(certificate, key);
            if (!OperatingSystem.IsWindows())
                return parsed;
            // TLS on Windows does not accept ephemeral keys.
            using (parsed)
                return X509CertificateLoader.LoadPkcs12(parsed.Export(X509ContentType.Pkcs12), null);
        }
        catch (ArgumentException fault)
        {
            throw new CryptographicException("the key does not belong to the certificate", fault);
        }
    }
}
