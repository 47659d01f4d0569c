using System.Net;
using ProxySwapper.Registry.Distribution;
using ProxySwapper.Registry.Oci;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Registry.Copying;

/// <summary>
/// Checks what a target repository has. Content that the registry cannot read (HTTP 500) counts as missing: CNCF Distribution leaves empty
/// entries behind when its disk is full, always fails on them, and only recovers when the content is written again.
/// </summary>
public static class TargetContent
{
    /// <summary>Looks up a blob.</summary>
    /// <exception cref="RegistryException">The registry returned an error or could not be reached.</exception>
    public static Task<BlobPresence> FindBlobAsync(
        RegistryClient target,
        string repository,
        Descriptor blob,
        CancellationToken cancellationToken
    ) => UnlessUnreadableAsync(target.FindBlobAsync(repository, blob, cancellationToken), BlobPresence.Missing);

    /// <summary>Resolves a tag or digest; null if the repository has no such manifest.</summary>
    /// <exception cref="RegistryException">The registry returned an error or could not be reached.</exception>
    public static Task<Descriptor?> FindManifestAsync(
        RegistryClient target,
        string repository,
        string reference,
        CancellationToken cancellationToken
    ) => UnlessUnreadableAsync(target.HeadManifestAsync(repository, reference, cancellationToken), null);

    /// <summary>
    /// The same for a name of an image, which must not be overwritten, or copied again each time: it only counts as missing where the
    /// registry's HEADs can be trusted, or a GET finds nothing either.
    /// </summary>
    /// <exception cref="RegistryException">The registry returned an error or could not be reached.</exception>
    public static async Task<Descriptor?> LookUpManifestAsync(
        RegistryClient target,
        string repository,
        string reference,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await target.LookUpManifestAsync(repository, reference, cancellationToken);
        }
        catch (RegistryException fault) when (fault.Status == HttpStatusCode.InternalServerError)
        {
            return await GetAsync(target, repository, reference, cancellationToken);
        }
    }

    private static async Task<T> UnlessUnreadableAsync<T>(Task<T> lookUp, T missing)
    {
        try
        {
            return await lookUp;
        }
        catch (RegistryException fault) when (fault.Status == HttpStatusCode.InternalServerError)
        {
            return missing;
        }
    }

    private static async Task<Descriptor?> GetAsync(
        RegistryClient target,
        string repository,
        string reference,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return (await target.GetManifestAsync(repository, reference, cancellationToken)).Descriptor;
        }
        catch (RegistryException fault) when (fault.Status is HttpStatusCode.InternalServerError or HttpStatusCode.NotFound)
        {
            return null;
        }
    }
}
