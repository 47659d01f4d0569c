using ProxySwapper.Registry;
using ProxySwapper.Registry.Credentials;

namespace ProxySwapper.Registries;

/// <summary>
/// Creates a cloud's source when one of its hosts is first used: most clusters use one cloud, and the libraries of three are large.
/// </summary>
/// <param name="isOfCloud">Whether a host belongs to the cloud.</param>
/// <param name="make">Creates the source.</param>
internal sealed class CloudCredentialSource(Predicate<string> isOfCloud, Func<IRegistryCredentialSource> make) : IRegistryCredentialSource
{
    private readonly Lazy<IRegistryCredentialSource> _source = new(make);

    public ValueTask<RegistryCredential?> GetAsync(ImageReference image, CancellationToken cancellationToken) =>
        isOfCloud(image.Registry) ? _source.Value.GetAsync(image, cancellationToken) : new((RegistryCredential?)null);

    public ValueTask<RegistryCredential?> RenewAsync(
        ImageReference image,
        RegistryCredential refused,
        CancellationToken cancellationToken
    ) => isOfCloud(image.Registry) ? _source.Value.RenewAsync(image, refused, cancellationToken) : new((RegistryCredential?)null);
}
