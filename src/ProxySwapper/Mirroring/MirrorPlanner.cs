using System.Collections.Concurrent;
using System.Net;
using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Copying;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Registry.Distribution;
using ProxySwapper.Registry.Oci;
using ProxySwapper.Registry.Timing;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Mirroring;

/// <summary>
/// Plans one image with the cheapest requests: paged tag lists of both sides, or one lookup for a single tag. Never requests manifests from
/// the source.
/// </summary>
internal sealed partial class MirrorPlanner(
    RegistryClients clients,
    IRegistryCredentialSource credentials,
    MirrorShard shard,
    IReadOnlySet<string> repeatedSources,
    ILogger logger
)
{
    private const int ParallelLookups = 4;

    private readonly ConcurrentDictionary<string, IReadOnlyList<string>> _sourceTags = new(StringComparer.Ordinal);
    private readonly SingleFlight<string, IReadOnlyList<string>> _listings = new();

    /// <summary>Returns the work, and the tags that need none.</summary>
    /// <exception cref="RegistryException">A registry returned an error.</exception>
    public async Task<MirrorPlan> PlanAsync(MirrorImage image, CancellationToken cancellationToken)
    {
        if (!shard.IncludesRepository(image))
            return MirrorPlan.Nothing;
        var sourceTags = await ListSourceAsync(image.Source, cancellationToken);
        var isSingle = image.Filter.Mode == MirrorMode.Highest;
        var (destinationTags, rejection) = isSingle ? ([], null) : await ListDestinationAsync(image, cancellationToken);
        var selection = TagSelector.Select(image.Filter, sourceTags, destinationTags ?? [], rejection?.Message);
        if (logger.IsEnabled(LogLevel.Debug))
            LogSelection(image, sourceTags, selection.Tags);
        List<MirrorResult> skipped =
        [
            .. selection.Omissions.Select(omission => new MirrorResult(image, null, MirrorOutcome.Skipped, omission.Text)
            {
                IsUnread = omission.IsUnread,
            }),
        ];
        var plan = await PlanAsync(image, selection.Tags, destinationTags, rejection, cancellationToken);
        return plan with { Settled = [.. skipped, .. plan.Settled] };
    }

    private async Task<MirrorPlan> PlanAsync(
        MirrorImage image,
        IReadOnlyList<string> selected,
        IReadOnlyList<string>? destinationTags,
        RegistryException? rejection,
        CancellationToken cancellationToken
    )
    {
        if (selected.Count == 0)
            return MirrorPlan.Nothing;
        if (image.Filter.Mode == MirrorMode.Highest)
            return await PlanSingleAsync(image, selected[0], cancellationToken);
        List<string> tags = [.. selected.Where(tag => shard.IncludesTag(image, tag))];
        var present = destinationTags ?? await FindPresentAsync(image, tags, cancellationToken);
        // The repository exists, so its versions are unknown, and not none.
        if (rejection is not null && present.Count > 0 && image.Filter.Mode == MirrorMode.Higher)
            throw rejection;
        return Plan(image, tags, present.ToHashSet(StringComparer.Ordinal));
    }

    private static MirrorPlan Plan(MirrorImage image, IReadOnlyList<string> tags, HashSet<string> present)
    {
        var tasks = new List<MirrorTask>();
        var settled = new List<MirrorResult>();
        foreach (var tag in tags)
            if (!present.Contains(tag) || image.ReplaceTag)
                tasks.Add(new MirrorTask(image, tag, present.Contains(tag)));
            else
                settled.Add(new MirrorResult(image, tag, MirrorOutcome.UpToDate));
        return new MirrorPlan(tasks, settled);
    }

    private async Task<MirrorPlan> PlanSingleAsync(MirrorImage image, string tag, CancellationToken cancellationToken)
    {
        var present = await FindAsync(image, tag, cancellationToken);
        return present is null || image.ReplaceTag
            ? new MirrorPlan([new MirrorTask(image, tag, present is not null)], [])
            : new MirrorPlan([], [new MirrorResult(image, tag, MirrorOutcome.UpToDate, Digest: present.Digest.ToString())]);
    }

    /// <summary>
    /// A missing destination has no tags. If its registry does not allow listing them, or has nothing at that address, there is no list,
    /// and single tags are looked up, unless the mode needs the list.
    /// </summary>
    private async Task<(IReadOnlyList<string>? Tags, RegistryException? Rejection)> ListDestinationAsync(
        MirrorImage image,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return (await ListAsync(image.Destination, cancellationToken), null);
        }
        catch (RegistryException fault) when (fault is { Status: HttpStatusCode.NotFound, IsRepositoryUnknown: true })
        {
            return ([], null);
        }
        // Harbor returns 404 without NAME_UNKNOWN for a missing repository; other registries do so because they have no lists.
        catch (RegistryException fault)
            when (fault.Status == HttpStatusCode.NotFound
                || image.Filter.Mode != MirrorMode.Higher && fault is { Status: not null, IsTransient: false }
            )
        {
            return (null, fault);
        }
    }

    /// <summary>Returns which of these tags the destination has.</summary>
    private async Task<IReadOnlyList<string>> FindPresentAsync(
        MirrorImage image,
        IReadOnlyList<string> tags,
        CancellationToken cancellationToken
    )
    {
        var present = new ConcurrentBag<string>();
        await Parallel.ForEachAsync(
            tags,
            new ParallelOptions { MaxDegreeOfParallelism = ParallelLookups, CancellationToken = cancellationToken },
            async (tag, token) =>
            {
                if (await FindAsync(image, tag, token) is not null)
                    present.Add(tag);
            }
        );
        return [.. present];
    }

    /// <summary>A tag that must not be replaced has to be known to be missing before it is written.</summary>
    private Task<Descriptor?> FindAsync(MirrorImage image, string tag, CancellationToken cancellationToken)
    {
        var client = clients.For(image.Destination.Registry, credentials);
        return image.ReplaceTag
            ? TargetContent.FindManifestAsync(client, image.Destination.Repository, tag, cancellationToken)
            : TargetContent.LookUpManifestAsync(client, image.Destination.Repository, tag, mayMove: false, cancellationToken);
    }

    /// <summary>
    /// Two entries with the same source list it once; a failed listing may be retried. Other lists are not kept: those of all sources would
    /// fill the memory.
    /// </summary>
    private Task<IReadOnlyList<string>> ListSourceAsync(ImageReference repository, CancellationToken cancellationToken) =>
        _listings.RunAsync(
            repository.Name,
            async () =>
                _sourceTags.TryGetValue(repository.Name, out var tags) ? tags
                : repeatedSources.Contains(repository.Name) ? _sourceTags[repository.Name] = await ListAsync(repository, cancellationToken)
                : await ListAsync(repository, cancellationToken),
            cancellationToken
        );

    private async Task<IReadOnlyList<string>> ListAsync(ImageReference repository, CancellationToken cancellationToken)
    {
        var tags = new List<string>();
        await foreach (var tag in clients.For(repository.Registry, credentials).ListTagsAsync(repository.Repository, cancellationToken))
            tags.Add(tag);
        return tags;
    }

    private void LogSelection(MirrorImage image, IReadOnlyList<string> tags, IReadOnlyList<string> selected)
    {
        var chosen = selected.ToHashSet(StringComparer.Ordinal);
        foreach (var tag in tags)
            if (chosen.Contains(tag))
                Log.Selected(logger, image.Name, image.Source, tag);
            else if (!ImageReference.IsTag(tag))
                Log.Invalid(logger, image.Name, image.Source.Name, tag);
            else
                Log.LeftOut(logger, image.Name, image.Source, tag, ConfigurationValue.Of(image.Filter.Mode));
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Debug, "{Image}: {Source}:{Tag} selected")]
        public static partial void Selected(ILogger logger, string image, ImageReference source, string tag);

        [LoggerMessage(2, LogLevel.Debug, "{Image}: {Source}:{Tag} left out by mode {Mode} and the entry's filters")]
        public static partial void LeftOut(ILogger logger, string image, ImageReference source, string tag, string mode);

        [LoggerMessage(3, LogLevel.Debug, "{Image}: '{Tag}' of {Source} left out: it is not a valid tag")]
        public static partial void Invalid(ILogger logger, string image, string source, string tag);
    }
}

/// <summary>The work for one image.</summary>
/// <param name="Tasks">Tags to copy, or to check for changes.</param>
/// <param name="Settled">Tags and images with nothing to do, with the reason.</param>
internal sealed record MirrorPlan(IReadOnlyList<MirrorTask> Tasks, IReadOnlyList<MirrorResult> Settled)
{
    public static MirrorPlan Nothing { get; } = new([], []);

    /// <summary>
    /// Tasks to execute one after the other: in mode higher all of them, since the next run begins at the highest tag that this one writes;
    /// otherwise each alone.
    /// </summary>
    public IEnumerable<IReadOnlyList<MirrorTask>> Sequences =>
        Tasks is [{ Image.Filter.Mode: MirrorMode.Higher }, ..] ? [Tasks] : Tasks.Select(task => (IReadOnlyList<MirrorTask>)[task]);
}

/// <summary>One tag to copy, or to check for changes.</summary>
/// <param name="Image">The entry of the file.</param>
/// <param name="Tag">The tag.</param>
/// <param name="IsPresent">True if the destination has the tag, which is replaced if the digests differ.</param>
internal sealed record MirrorTask(MirrorImage Image, string Tag, bool IsPresent)
{
    public ImageReference Source => Image.Source.WithTag(Tag);

    public ImageReference Destination => Image.Destination.WithTag(Tag);
}
