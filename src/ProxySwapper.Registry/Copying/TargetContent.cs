using System.Net;
using ProxySwapper.Registry.Distribution;
using ProxySwapper.Registry.Oci;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Registry.Copying;

/// <summary>
/// What a repository has that is about to be written. An entry that the registry cannot read (HTTP 500) counts as missing: CNCF
/// Distribution leaves empty entries behind when its disk is full, fails over each for ever, and mends it only when the content is
/// written once more.
/// </summary>
public static class TargetContent
{
    /// <summary>What the repository has of the blob.</summary>
    /// <exception cref="RegistryException">The registry refused or could not be reached.</exception>
    public static async Task<BlobPresence> FindBlobAsync(
        RegistryClient target,
        string repository,
        Descriptor blob,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await target.FindBlobAsync(repository, blob, cancellationToken);
        }
        catch (RegistryException fault) when (fault.Status == HttpStatusCode.InternalServerError)
        {
            return BlobPresence.Missing;
        }
    }

    /// <summary>What a tag or digest points at; null when the repository has no such manifest.</summary>
    /// <exception cref="RegistryException">The registry refused or could not be reached.</exception>
    public static async Task<Descriptor?> FindManifestAsync(
        RegistryClient target,
        string repository,
        string reference,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await target.HeadManifestAsync(repository, reference, cancellationToken);
        }
        catch (RegistryException fault) when (fault.Status == HttpStatusCode.InternalServerError)
        {
            return null;
        }
    }
}
