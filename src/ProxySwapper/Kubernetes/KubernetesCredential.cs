using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;

namespace ProxySwapper.Kubernetes;

/// <summary>
/// What opens the API server: a header, a client certificate, both or neither. A class and no record, so that no log shows it.
/// </summary>
internal sealed class KubernetesCredential(AuthenticationHeaderValue? authorization, X509Certificate2? clientCertificate)
{
    public AuthenticationHeaderValue? Authorization { get; } = authorization;

    public X509Certificate2? ClientCertificate { get; } = clientCertificate;
}
