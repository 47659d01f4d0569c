namespace ProxySwapper.Registry.Credentials;

/// <summary>One place that credentials come from: a file, a cloud, a Pod's pull secrets.</summary>
public interface IRegistryCredentialSource
{
    /// <summary>
    /// The credential for an image; null when this source has none for it and the next one may be asked. The whole reference is
    /// given since pull secrets can be scoped to a repository. May be called often: a source caches what is worth it.
    /// </summary>
    /// <exception cref="RegistryCredentialException">This source is the one for the image, and failed.</exception>
    ValueTask<RegistryCredential?> GetAsync(ImageReference image, CancellationToken cancellationToken);
}
