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
    private (string Authorities, DateTimeOffset Since)? _published;

    /// <summary>The set to serve now; null while another replica is about to write the first one.</summary>
    /// <exception cref="KubernetesException">The API server returned an error or did not respond.</exception>
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
            if (
                issuer.Renew(set, IsPublished(set.Authorities)) is { } renewed
                && await secret.TryWriteAsync(renewed, stored, cancellationToken)
            )
                set = renewed;
        }
        await PublishAsync(set.Authorities, cancellationToken);
        return _last = set;
    }

    /// <summary>Whether API servers have had the authorities for long enough; not while the webhook is unregistered.</summary>
    private bool IsPublished(string authorities) =>
        _published is { } published && published.Authorities == authorities && time.GetUtcNow() >= published.Since + PublicationDelay;

    private async Task PublishAsync(string authorities, CancellationToken cancellationToken)
    {
        if (webhook is not null && !await webhook.PublishAsync(authorities, cancellationToken))
            _published = null;
        else if (_published?.Authorities != authorities)
            _published = (authorities, time.GetUtcNow());
    }
}
