namespace ProxySwapper.Configuration;

/// <summary>
/// The section <c>certificates</c>: the program issues and renews its own serving certificate instead of reading <c>tlsCertPath</c>.
/// </summary>
internal sealed record SelfSignedOptions
{
    /// <summary>The Secret, in the program's own namespace, that stores the CA and the certificate.</summary>
    public required string Secret { get; init; }

    /// <summary>The names under which the API server calls the Service, such as <c>proxyswapper.proxyswapper.svc</c>.</summary>
    public required IReadOnlyList<string> DnsNames { get; init; }

    /// <summary>The MutatingWebhookConfiguration whose <c>caBundle</c> is kept up to date; null for none.</summary>
    public string? Webhook { get; init; }
}
