using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;

namespace ProxySwapper.Kubernetes;

/// <summary>
/// A credential for the API server: a header, a client certificate, both or neither. Not a record, so that no log prints it.
/// </summary>
internal sealed class KubernetesCredential(AuthenticationHeaderValue? authorization, X509Certificate2? clientCertificate)
{
    public AuthenticationHeaderValue? Authorization { get; } = authorization;

    public X509Certificate2? ClientCertificate { get; } = clientCertificate;
}
