using System.Net;
using ProxySwapper.Registry.Distribution;
using ProxySwapper.Registry.Oci;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Registry.Copying;

/// <summary>
/// Checks what a target repository has. Content that the registry cannot read (HTTP 500) counts as missing: CNCF Distribution leaves empty
/// entries behind when its disk is full, always fails on them, and only recovers when the content is written again. A tag that must not be
/// moved is the exception, since it may point at something.
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
    /// <param name="target">The target's registry.</param>
    /// <param name="repository">The repository.</param>
    /// <param name="reference">The tag or digest.</param>
    /// <param name="mayMove">Whether a tag may be moved: if not, one that the registry cannot read is an error.</param>
    /// <param name="cancellationToken">Cancels the requests.</param>
    /// <exception cref="RegistryException">The registry returned an error or could not be reached.</exception>
    public static async Task<Descriptor?> LookUpManifestAsync(
        RegistryClient target,
        string repository,
        string reference,
        bool mayMove,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await target.LookUpManifestAsync(repository, reference, cancellationToken);
        }
        catch (RegistryException fault) when (fault.Status == HttpStatusCode.InternalServerError)
        {
            var manifest = await GetAsync(target, repository, reference, mayMove || Digest.TryParse(reference, out _), cancellationToken);
            return manifest?.Descriptor;
        }
    }

    /// <summary>Whether the repository has a manifest: if a HEAD returns another size, only a GET shows what is there.</summary>
    /// <exception cref="RegistryException">The registry returned an error or could not be reached.</exception>
    public static async Task<bool> HasManifestAsync(
        RegistryClient target,
        string repository,
        Descriptor manifest,
        CancellationToken cancellationToken
    ) =>
        await FindManifestAsync(target, repository, manifest.Digest.ToString(), cancellationToken) is { } found
        && (found.Size == manifest.Size || await HasContentAsync(target, repository, manifest.Digest, cancellationToken));

    /// <summary>Reads a manifest; null if the repository does not have it, cannot read it, or has other content there.</summary>
    /// <exception cref="RegistryException">The registry returned an error or could not be reached.</exception>
    public static async Task<Manifest?> ReadManifestAsync(
        RegistryClient target,
        string repository,
        Digest digest,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await GetAsync(target, repository, digest.ToString(), isMissingIfUnreadable: true, cancellationToken);
        }
        catch (RegistryException fault) when (fault is { Status: HttpStatusCode.OK, IsLimitExceeded: false })
        {
            return null;
        }
    }

    private static async Task<bool> HasContentAsync(
        RegistryClient target,
        string repository,
        Digest digest,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await ReadManifestAsync(target, repository, digest, cancellationToken) is not null;
        }
        catch (RegistryException fault) when (fault.IsLimitExceeded)
        {
            // It has the digest, but is of a kind that is not copied.
            return true;
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

    private static async Task<Manifest?> GetAsync(
        RegistryClient target,
        string repository,
        string reference,
        bool isMissingIfUnreadable,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await target.GetManifestAsync(repository, reference, cancellationToken);
        }
        catch (RegistryException fault)
            when (fault.Status == HttpStatusCode.NotFound || fault.Status == HttpStatusCode.InternalServerError && isMissingIfUnreadable)
        {
            return null;
        }
    }
}
