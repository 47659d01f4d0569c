using ProxySwapper.Kubernetes;

namespace ProxySwapper.Certificates;

/// <summary>
/// One reconciliation of the Secret and the webhook configuration: issues what is missing, renews what is due, publishes the authorities
/// and returns the certificate to serve.
/// </summary>
internal sealed class SelfSignedCertificates(
    CertificateSecret secret,
    WebhookCaBundle? webhook,
    CertificateIssuer issuer,
    TimeProvider time
)
{
    /// <summary>How long API servers may need to pick up a new <c>caBundle</c>; in practice, seconds.</summary>
    private static readonly TimeSpan PublicationDelay = TimeSpan.FromSeconds(30);

    private CertificateSet? _last;

    /// <summary>The set to serve now; null while another replica is about to write the first one.</summary>
    /// <exception cref="KubernetesException">The API server refused or did not answer.</exception>
    public async Task<CertificateSet?> CheckAsync(CancellationToken cancellationToken)
    {
        var stored = await secret.ReadAsync(cancellationToken);
        if (stored?.Set is not { } set)
        {
            // A deleted Secret is restored unchanged, so that no API server meets a certificate it does not know.
            var first = _last ?? issuer.Create();
            if (!await secret.TryWriteAsync(first, stored, cancellationToken))
                return _last;
            set = first;
        }
        else
        {
            var isPublished = time.GetUtcNow() >= stored.AuthoritiesSince + PublicationDelay;
            if (issuer.Renew(set, isPublished) is { } renewed && await secret.TryWriteAsync(renewed, stored, cancellationToken))
                set = renewed;
        }
        if (webhook is not null)
            await webhook.PublishAsync(set.Authorities, cancellationToken);
        return _last = set;
    }
}
