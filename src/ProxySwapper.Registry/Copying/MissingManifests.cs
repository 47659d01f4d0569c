using System.Collections.Concurrent;
using ProxySwapper.Registry.Distribution;
using ProxySwapper.Registry.Oci;

namespace ProxySwapper.Registry.Copying;

/// <summary>Finds manifests that a copy has to write to one repository.</summary>
internal sealed class MissingManifests(RepositoryClient target)
{
    private readonly ConcurrentDictionary<Digest, IReadOnlyList<Descriptor>> _listed = new();

    /// <summary>
    /// Whether a manifest is missing, or is not found by its subject: where the registry has no referrers API, that is an entry of the
    /// fallback tag, whose write can have failed after the manifest's. Writing the manifest again adds the entry.
    /// </summary>
    public async Task<bool> IsMissingAsync(Digest manifest, Digest? subject, CancellationToken cancellationToken) =>
        await TargetContent.FindManifestAsync(target.Client, target.Repository, manifest.ToString(), cancellationToken) is null
        || subject is { } of && !await IsListedAsync(manifest, of, cancellationToken);

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
