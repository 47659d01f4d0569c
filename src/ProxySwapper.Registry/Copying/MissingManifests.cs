using System.Collections.Concurrent;
using ProxySwapper.Registry.Distribution;
using ProxySwapper.Registry.Oci;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Registry.Copying;

/// <summary>Finds manifests that a copy has to write to one repository.</summary>
internal sealed class MissingManifests(RepositoryClient target)
{
    private readonly ConcurrentDictionary<Digest, IReadOnlyList<Descriptor>> _listed = new();

    /// <summary>
    /// Whether a manifest is missing, or is not found by its subject: where the registry has no referrers API, that is an entry of the
    /// fallback tag, whose write can have failed after the manifest's. Writing the manifest again adds the entry.
    /// </summary>
    public async Task<bool> IsMissingAsync(Descriptor manifest, Digest? subject, CancellationToken cancellationToken) =>
        !await TargetContent.HasManifestAsync(target.Client, target.Repository, manifest, cancellationToken)
        || subject is { } of && !await IsListedAsync(manifest.Digest, of, cancellationToken);

    /// <summary>
    /// Finds a manifest that is the image itself and gets no tag. It is read, since an entry in a fallback tag is all that names it if it
    /// has a subject.
    /// </summary>
    public async Task<Descriptor?> FindRootAsync(Digest digest, CancellationToken cancellationToken)
    {
        ManifestReferences root;
        try
        {
            if (await TargetContent.ReadManifestAsync(target.Client, target.Repository, digest, cancellationToken) is not { } manifest)
                return null;
            root = ManifestReferences.Read(manifest);
        }
        catch (Exception fault) when (fault is FormatException or RegistryException { IsLimitExceeded: true })
        {
            // As the source has it: the digest is the same.
            return await TargetContent.FindManifestAsync(target.Client, target.Repository, digest.ToString(), cancellationToken);
        }
        return root.Subject is { } of && !await IsListedAsync(digest, of, cancellationToken) ? null : root.Manifest.Descriptor;
    }

    private async Task<bool> IsListedAsync(Digest manifest, Digest subject, CancellationToken cancellationToken)
    {
        if (!_listed.TryGetValue(subject, out var listed))
        {
            if (await target.ListByReferrersTagAsync(subject, cancellationToken) is not { } byTag)
                return true;
            listed = _listed[subject] = byTag;
        }
        return listed.Any(entry => entry.Digest == manifest);
    }
}
