using ProxySwapper.Registry.Distribution;
using ProxySwapper.Registry.Oci;

namespace ProxySwapper.Registry.Copying;

/// <summary>
/// Copies the list of referrers under a fallback tag. The target's list has other bytes, and perhaps more entries: it is also written for
/// each referrer that is copied with its image. So it is never replaced, and what it lacks is added.
/// </summary>
internal sealed class ReferrersListCopy(RepositoryClient target, ImageWriter writer)
{
    /// <summary>
    /// Whether a manifest is what a fallback tag is for: an index, but not the image itself, which some keep by a tag of its digest, or
    /// that image without some of its platforms.
    /// </summary>
    public static bool IsList(string tag, Manifest manifest)
    {
        if (!ReferrersTag.IsMatch(tag) || ReferrersTag.Of(manifest.Digest) == tag)
            return false;
        try
        {
            var references = ManifestReferences.Read(manifest);
            return references.IsIndex && references.Children.All(child => child.Platform is null);
        }
        catch (FormatException)
        {
            return false;
        }
    }

    /// <summary>Adds the entries of a list, whose manifests are at the target.</summary>
    /// <returns>What the tag points at.</returns>
    public async Task<Digest> AddAsync(ManifestReferences list, string tag, CancellationToken cancellationToken)
    {
        if (await FindAsync(tag, cancellationToken) is null)
            await writer.NameAsync(list.Manifest, [tag], cancellationToken);
        else
            await writer.EnterAsync(tag, list.Children, cancellationToken);
        return (await FindAsync(tag, cancellationToken))?.Digest ?? list.Manifest.Digest;
    }

    /// <summary>What a copy would write, with the list itself if entries are missing.</summary>
    public async Task<IReadOnlyList<ImageGraph>> PlanAsync(ImageGraph list, string tag, CancellationToken cancellationToken)
    {
        var missing = new List<ImageGraph>();
        foreach (var node in list.Below)
            if (await writer.IsMissingAsync(node.Manifest.Descriptor, node.Subject, cancellationToken))
                missing.Add(new ImageGraph(node, []));
        if ((await target.FindMissingReferrersAsync(tag, list.Root.Children, cancellationToken)).Count > 0)
            missing.Add(new ImageGraph(list.Root, []));
        return missing;
    }

    /// <exception cref="CopyException">A tag that is to be written to has a list of referrers, which would get lost.</exception>
    public async Task AssertNoneAsync(IEnumerable<string> tags, ImageReference source, CancellationToken cancellationToken)
    {
        foreach (var tag in tags.Where(ReferrersTag.IsMatch))
            if (IsList(tag, await target.GetManifestAsync(tag, cancellationToken)))
                throw new CopyException(
                    $"{target.Registry}/{target.Repository}:{tag} is a list of referrers, such as signatures, and must not be overwritten "
                        + $"with {source}, which is none. Give what is there another tag"
                );
    }

    private Task<Descriptor?> FindAsync(string tag, CancellationToken cancellationToken) =>
        TargetContent.LookUpManifestAsync(target.Client, target.Repository, tag, mayMove: false, cancellationToken);
}
