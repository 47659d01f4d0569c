using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;

namespace ProxySwapper.Kubernetes.Connection;

/// <summary>A source of credentials for the API server: a file or a program.</summary>
internal interface IKubernetesCredentialSource
{
    /// <summary>Gets the credential; after a 401, <paramref name="rejected"/> is true and a new one is obtained.</summary>
    /// <exception cref="KubernetesConnectionException">No credential is available; the message names the source.</exception>
    ValueTask<KubernetesCredential> GetAsync(bool rejected, CancellationToken cancellationToken);
}

/// <summary>
/// A credential for the API server: a header, a client certificate, both or neither. Not a record, so that no log prints it.
/// </summary>
internal sealed class KubernetesCredential(AuthenticationHeaderValue? authorization, X509Certificate2? clientCertificate)
{
    public AuthenticationHeaderValue? Authorization { get; } = authorization;

    public X509Certificate2? ClientCertificate { get; } = clientCertificate;
}
