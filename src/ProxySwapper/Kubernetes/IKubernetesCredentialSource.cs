namespace ProxySwapper.Kubernetes;

/// <summary>Where the API server's credential comes from: what a file says, or what a program prints.</summary>
internal interface IKubernetesCredentialSource
{
    /// <summary>
    /// The credential; after the server refused it with 401, <paramref name="refused"/> is true and a new one is looked for.
    /// </summary>
    /// <exception cref="KubernetesConnectionException">None can be had; the message says from where.</exception>
    ValueTask<KubernetesCredential> GetAsync(bool refused, CancellationToken cancellationToken);
}
