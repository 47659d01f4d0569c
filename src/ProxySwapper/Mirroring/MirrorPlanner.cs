using System.Collections.Concurrent;
using System.Net;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Copying;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Registry.Distribution;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Mirroring;

/// <summary>
/// Finds out what one image needs, by the cheapest requests: tags of both sides page by page, or one HEAD where a single tag counts.
/// Manifests of the source are never asked for.
/// </summary>
internal sealed class MirrorPlanner(RegistryClients clients, IRegistryCredentialSource credentials, MirrorShard shard)
{
    private readonly ConcurrentDictionary<string, Lazy<Task<IReadOnlyList<string>>>> _sourceTags = new();

    /// <summary>What has to be done, and what is settled without doing anything.</summary>
    /// <exception cref="RegistryException">A registry refused.</exception>
    public async Task<MirrorPlan> PlanAsync(MirrorImage image, CancellationToken cancellationToken)
    {
        if (!shard.IncludesRepository(image))
            return MirrorPlan.Nothing;
        var sourceTags = await ListSourceAsync(image.Source, cancellationToken);
        var isSingle = image.Filter.Mode == MirrorMode.Highest;
        var destinationTags = isSingle ? [] : await ListOrEmptyAsync(image.Destination, cancellationToken);
        var selection = TagSelector.Select(image.Filter, sourceTags, destinationTags);
        if (selection.Tags.Count == 0)
            return selection.Explanation is null
                ? MirrorPlan.Nothing
                : new MirrorPlan([], [new MirrorResult(image, null, MirrorOutcome.Skipped, selection.Explanation)]);
        return isSingle
            ? await PlanSingleAsync(image, selection.Tags[0], cancellationToken)
            : Plan(image, selection.Tags, destinationTags.ToHashSet(StringComparer.Ordinal));
    }

    private MirrorPlan Plan(MirrorImage image, IReadOnlyList<string> tags, HashSet<string> present)
    {
        var tasks = new List<MirrorTask>();
        var settled = new List<MirrorResult>();
        foreach (var tag in tags.Where(tag => shard.IncludesTag(image, tag)))
            if (!present.Contains(tag) || image.ReplaceTag)
                tasks.Add(new MirrorTask(image, tag, present.Contains(tag)));
            else
                settled.Add(new MirrorResult(image, tag, MirrorOutcome.UpToDate));
        return new MirrorPlan(tasks, settled);
    }

    private async Task<MirrorPlan> PlanSingleAsync(MirrorImage image, string tag, CancellationToken cancellationToken)
    {
        var client = clients.For(image.Destination.Registry, credentials);
        var present = await TargetContent.FindManifestAsync(client, image.Destination.Repository, tag, cancellationToken);
        return present is null || image.ReplaceTag
            ? new MirrorPlan([new MirrorTask(image, tag, present is not null)], [])
            : new MirrorPlan([], [new MirrorResult(image, tag, MirrorOutcome.UpToDate, Digest: present.Digest.ToString())]);
    }

    /// <summary>A destination that does not exist yet has no tags; any other answer is a fault, never "present".</summary>
    private async Task<IReadOnlyList<string>> ListOrEmptyAsync(ImageReference repository, CancellationToken cancellationToken)
    {
        try
        {
            return await ListAsync(repository, cancellationToken);
        }
        catch (RegistryException fault) when (fault.Status == HttpStatusCode.NotFound)
        {
            return [];
        }
    }

    /// <summary>Two entries with one source list it once; a listing that failed may be tried again.</summary>
    private async Task<IReadOnlyList<string>> ListSourceAsync(ImageReference repository, CancellationToken cancellationToken)
    {
        // Lazy, since of two that come at once both are asked for a value, and one of them is dropped.
        var listing = _sourceTags.GetOrAdd(repository.Name, _ => new(() => ListAsync(repository, cancellationToken)));
        try
        {
            return await listing.Value;
        }
        catch
        {
            _sourceTags.TryRemove(new(repository.Name, listing));
            throw;
        }
    }

    private async Task<IReadOnlyList<string>> ListAsync(ImageReference repository, CancellationToken cancellationToken)
    {
        var tags = new List<string>();
        await foreach (var tag in clients.For(repository.Registry, credentials).ListTagsAsync(repository.Repository, cancellationToken))
            tags.Add(tag);
        return tags;
    }
}
