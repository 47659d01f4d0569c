namespace ProxySwapper.Configuration;

/// <summary>
/// The section <c>certificates</c>: the program issues and renews its own serving certificate instead of reading <c>tlsCertPath</c>.
/// </summary>
internal sealed record SelfSignedOptions
{
    /// <summary>The Secret that keeps authority and certificate, in the program's own namespace.</summary>
    public required string Secret { get; init; }

    /// <summary>The names of the Service as the API server calls it, for instance <c>proxyswapper.proxyswapper.svc</c>.</summary>
    public required IReadOnlyList<string> DnsNames { get; init; }

    /// <summary>The MutatingWebhookConfiguration whose <c>caBundle</c> is kept current; null leaves that to others.</summary>
    public string? Webhook { get; init; }
}
