using ProxySwapper.Kubernetes;

namespace ProxySwapper.Certificates;

/// <summary>
/// One look at Secret and webhook configuration, and what follows: issue what is missing, renew what is due, publish the authorities,
/// and give out the certificate to serve.
/// </summary>
internal sealed class SelfSignedCertificates(
    CertificateSecret secret,
    WebhookCaBundle? webhook,
    CertificateIssuer issuer,
    TimeProvider time
)
{
    /// <summary>How long API servers may need to take a new <c>caBundle</c> into use; theirs is a matter of seconds.</summary>
    private static readonly TimeSpan PublicationDelay = TimeSpan.FromSeconds(30);

    private CertificateSet? _last;

    /// <summary>The set to serve now; null when there is none yet, since another replica is about to write it.</summary>
    /// <exception cref="KubernetesException">The API server refused or did not answer.</exception>
    public async Task<CertificateSet?> CheckAsync(CancellationToken cancellationToken)
    {
        var stored = await secret.ReadAsync(cancellationToken);
        if (stored?.Set is not { } set)
        {
            // A Secret that was lost comes back as it was, so that nobody meets a certificate that its API server does not know.
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
