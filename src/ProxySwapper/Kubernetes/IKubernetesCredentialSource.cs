namespace ProxySwapper.Kubernetes;

/// <summary>A source of credentials for the API server: a file or a program.</summary>
internal interface IKubernetesCredentialSource
{
    /// <summary>Gets the credential; after a 401, <paramref name="refused"/> is true and a new one is obtained.</summary>
    /// <exception cref="KubernetesConnectionException">No credential is available; the message names the source.</exception>
    ValueTask<KubernetesCredential> GetAsync(bool refused, CancellationToken cancellationToken);
}
