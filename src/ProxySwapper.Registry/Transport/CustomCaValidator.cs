using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ProxySwapper.Registry.Transport;

/// <summary>Trusts the authorities of a PEM file in addition to the system's; the file is read again when it changes.</summary>
internal sealed class CustomCaValidator(string file)
{
    /// <summary>The extended key usage of servers (RFC 5280 §4.2.1.12); a certificate without it may be used for all.</summary>
    private static readonly Oid ServerAuthentication = new("1.3.6.1.5.5.7.3.1");

    private readonly Lock _gate = new();
    private X509Certificate2Collection _authorities = [];
    private string? _pem;

    /// <summary>Validates a server's certificate.</summary>
    /// <exception cref="CaFileException">The file cannot be read.</exception>
    public bool Accept(object sender, X509Certificate? certificate, X509Chain? presented, SslPolicyErrors faults)
    {
        if (faults == SslPolicyErrors.None)
            return true;
        if (faults != SslPolicyErrors.RemoteCertificateChainErrors || certificate is not X509Certificate2 leaf)
            return false;
        using var chain = new X509Chain();
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.ApplicationPolicy.Add(ServerAuthentication);
        chain.ChainPolicy.CustomTrustStore.AddRange(Authorities());
        foreach (var element in presented?.ChainElements ?? Enumerable.Empty<X509ChainElement>())
            chain.ChainPolicy.ExtraStore.Add(element.Certificate);
        return chain.Build(leaf);
    }

    private X509Certificate2Collection Authorities()
    {
        lock (_gate)
        {
            try
            {
                // Not by its time, which is that of a link in a volume and stays when the volume changes.
                var pem = TextFile.Read(file);
                if (pem == _pem)
                    return _authorities;
                var authorities = new X509Certificate2Collection();
                authorities.ImportFromPem(pem);
                (_authorities, _pem) = (authorities, pem);
                return authorities;
            }
            catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or CryptographicException)
            {
                throw new CaFileException($"cannot read caFile {file}: {fault.Message}");
            }
        }
    }
}

/// <summary>A file of authorities that is missing or is not PEM: retrying does not help until it is fixed.</summary>
internal sealed class CaFileException(string message) : IOException(message);
