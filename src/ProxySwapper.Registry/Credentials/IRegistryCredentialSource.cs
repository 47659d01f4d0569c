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

    /// <summary>
    /// The credential for an image after a registry refused <paramref name="refused"/>, which this source gave before: it may have
    /// ended early. A source that caches forgets it and gets another one, or gives the one that it got meanwhile; giving the refused
    /// one again means that there is no other. Called once per refused request, so a source that asks a cloud limits how often it does.
    /// The default asks <see cref="GetAsync"/>.
    /// </summary>
    /// <exception cref="RegistryCredentialException">This source is the one for the image, and failed.</exception>
    ValueTask<RegistryCredential?> RenewAsync(ImageReference image, RegistryCredential refused, CancellationToken cancellationToken) =>
        GetAsync(image, cancellationToken);
}
