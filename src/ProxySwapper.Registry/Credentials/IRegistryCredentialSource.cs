namespace ProxySwapper.Registry.Credentials;

/// <summary>A source of credentials: a file, a cloud, a Pod's pull secrets.</summary>
public interface IRegistryCredentialSource
{
    /// <summary>
    /// False for credentials of others, such as a Pod's pull secret: if these exceed their rate limit, requests with other credentials do
    /// not wait. Default true.
    /// </summary>
    bool IsOwn => true;

    /// <summary>
    /// The credential for an image; null if this source has none and the next one should be tried. The whole reference is passed, since
    /// pull secrets can be scoped to a repository. May be called often: a source should cache what is expensive.
    /// </summary>
    /// <exception cref="RegistryCredentialException">This source is responsible for the image, and failed.</exception>
    ValueTask<RegistryCredential?> GetAsync(ImageReference image, CancellationToken cancellationToken);

    /// <summary>
    /// The credential for an image after a registry rejected <paramref name="rejected"/>, which this source returned earlier: it may have
    /// expired early. A caching source drops it and gets another one, or returns the one that it got in the meantime; returning the
    /// rejected one means that there is no other. Called once per rejected request, so a source that calls a cloud limits how often it
    /// does. The default calls <see cref="GetAsync"/>.
    /// </summary>
    /// <exception cref="RegistryCredentialException">This source is responsible for the image, and failed.</exception>
    ValueTask<RegistryCredential?> RenewAsync(ImageReference image, RegistryCredential rejected, CancellationToken cancellationToken) =>
        GetAsync(image, cancellationToken);
}

/// <summary>The credential source responsible for a registry failed. The message names the source and never contains a secret.</summary>
public sealed class RegistryCredentialException(string message, Exception? innerException = null) : Exception(message, innerException);
