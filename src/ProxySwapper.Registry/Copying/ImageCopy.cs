using System.Net;
using ProxySwapper.Registry.Distribution;
using ProxySwapper.Registry.Oci;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Registry.Copying;

/// <summary>
/// One copy of one image: (1) resolve source and target, (2) read everything below, (3) write what is missing, (4) copy referrers, (5)
/// write the names. Referrers come before the tag: a tag without its signatures would look complete to the next run.
/// </summary>
internal sealed class ImageCopy : IDisposable
{
    private readonly CopyRequest _request;
    private readonly RepositoryClient _source;
    private readonly RepositoryClient _target;
    private readonly ImageWriter _writer;
    private readonly ReferrersListCopy _lists;
    private IReadOnlyList<string> _keptTags = [];

    public ImageCopy(RegistryClients clients, BlobTracker tracker, CopyRequest request, TimeProvider time)
    {
        _request = request;
        _source = new RepositoryClient(clients.For(request.Source.Registry, request.SourceCredentials), request.Source.Repository);
        _target = new RepositoryClient(clients.For(request.Target.Registry, request.TargetCredentials), request.Target.Repository);
        _writer = new ImageWriter(_source, _target, tracker.Enter(), request, time);
        _lists = new ReferrersListCopy(_target, _writer);
    }

    /// <summary>A digest at the target is binding, so platforms are ignored.</summary>
    private IReadOnlyList<Platform> Platforms => _request.Target.Digest is null ? _request.Platforms : [];

    /// <summary>The source's reference; a digest at the target has priority, since exactly that must be written.</summary>
    private string SourceReference => _request.Target.Digest?.ToString() ?? _request.Source.ManifestReference;

    /// <summary>The names to write: tags, or the digest without a tag.</summary>
    private IReadOnlyList<string> Names =>
        (_request.Target.Tag, _request.Target.Digest, _request.ExtraTags.Count) switch
        {
            ({ } tag, _, _) => [tag, .. _request.ExtraTags],
            (null, { } digest, 0) => [digest.ToString()],
            (null, null, _) => ["latest", .. _request.ExtraTags],
            _ => _request.ExtraTags,
        };

    public async Task<CopyResult> RunAsync(CancellationToken cancellationToken)
    {
        var (source, present) = await ResolveAsync(cancellationToken);
        var digest = source.Digest;
        var image = Platforms.Count > 0 ? await ReadAsync(digest, cancellationToken) : null;
        if (
            _request.Referrers
            || (await FindMissingNamesAsync(present, image?.Root.Manifest.Descriptor ?? source, cancellationToken)).Count > 0
        )
            image ??= await ReadAsync(digest, cancellationToken);
        // Before a tag is written: a fault here would leave an image that looks complete to the next run.
        var omissions = await OmissionsAsync(digest, image, cancellationToken);
        var written = image is null ? digest : await WriteMissingAsync(image, present, cancellationToken);
        var outcome = _writer.ManifestsWritten > 0 ? CopyOutcome.Copied : CopyOutcome.UpToDate;
        return _writer.AddTo(new CopyResult(outcome, digest, written) { Omissions = omissions with { KeptTags = _keptTags } });
    }

    public async Task<CopyPlan> PlanAsync(CancellationToken cancellationToken)
    {
        var (source, present) = await ResolveAsync(cancellationToken);
        var digest = source.Digest;
        var image = await ReadAsync(digest, cancellationToken);
        var targetDigest = image.Root.Manifest.Digest;
        var names = await FindMissingNamesAsync(present, image.Root.Manifest.Descriptor, cancellationToken);
        var missing = new List<ImageGraph>();
        var referrers = Referrers();
        if (_request.Referrers)
            await foreach (var (referrer, _) in referrers.ReadMissingAsync(image, cancellationToken))
                missing.Add(referrer);
        if (names.Count > 0 && present[0] is not null && TagOfList(image.Root.Manifest) is { } tag)
        {
            names = [];
            missing.AddRange(await _lists.PlanAsync(image, tag, cancellationToken));
        }
        if (names.Count > 0)
            missing.Add(image);
        var (manifests, blobs) = await _writer.PlanAsync(missing, cancellationToken);
        // With referrers, the image is written by its digest before its tags.
        var tags = names.Count(name => name != targetDigest.ToString());
        var furtherNames = Math.Max(0, _request.Referrers ? tags : names.Count - 1);
        return new CopyPlan(
            digest,
            targetDigest,
            [.. manifests.Select(manifest => manifest.Descriptor)],
            blobs,
            // An upload is two requests, a manifest one, and one more for each further name.
            (blobs.Count * 2)
                + manifests.Count
                + furtherNames
        )
        {
            Omissions = await OmissionsAsync(digest, image, cancellationToken) with { KeptTags = referrers.KeptTags },
        };
    }

    public void Dispose() => _writer.Dispose();

    /// <summary>Writes what is missing.</summary>
    /// <returns>What the names point at.</returns>
    private async Task<Digest> WriteMissingAsync(ImageGraph image, IReadOnlyList<Descriptor?> present, CancellationToken cancellationToken)
    {
        // The content counts if a HEAD reported another digest.
        var digest = image.Root.Manifest.Digest;
        var missing = await FindMissingNamesAsync(present, image.Root.Manifest.Descriptor, cancellationToken);
        if (missing.Count == 0)
        {
            await CopyReferrersAsync(image, cancellationToken);
            return digest;
        }
        if (TagOfList(image.Root.Manifest) is { } tag)
        {
            await _writer.WriteAsync(image, [], cancellationToken);
            await CopyReferrersAsync(image, cancellationToken);
            return await _lists.AddAsync(image.Root, tag, cancellationToken);
        }
        await AssertMayOverwriteAsync(missing, present, digest, cancellationToken);
        await WriteAsync(image, missing, cancellationToken);
        return digest;
    }

    private async Task WriteAsync(ImageGraph image, IReadOnlyList<string> names, CancellationToken cancellationToken)
    {
        if (!_request.Referrers)
        {
            await _writer.WriteAsync(image, names, cancellationToken);
            return;
        }
        await WriteUntaggedAsync(image, cancellationToken);
        IReadOnlyList<string> tags = [.. names.Where(name => name != image.Root.Manifest.Digest.ToString())];
        try
        {
            await _writer.NameAsync(image.Root.Manifest, tags, cancellationToken);
        }
        catch (RegistryException fault) when (ImageWriter.IsContentGone(fault))
        {
            // A garbage collection removes what has no tag yet, while the referrers are copied.
            _writer.Forget(image);
            await WriteUntaggedAsync(image, cancellationToken);
            await _writer.NameAsync(image.Root.Manifest, tags, cancellationToken);
        }
    }

    /// <summary>The fallback tag under which a list of referrers is to be copied; null if the image is none.</summary>
    private string? TagOfList(Manifest root) =>
        _request.MergesReferrers && Names is [var tag] && ReferrersListCopy.IsList(tag, root) ? tag : null;

    private async Task WriteUntaggedAsync(ImageGraph image, CancellationToken cancellationToken)
    {
        await _writer.WriteAsync(image, [image.Root.Manifest.Digest.ToString()], cancellationToken);
        await CopyReferrersAsync(image, cancellationToken);
    }

    private async Task CopyReferrersAsync(ImageGraph image, CancellationToken cancellationToken)
    {
        if (!_request.Referrers)
            return;
        var referrers = Referrers();
        await referrers.RunAsync(image, cancellationToken);
        _keptTags = referrers.KeptTags;
    }

    private async Task<CopyOmissions> OmissionsAsync(Digest source, ImageGraph? image, CancellationToken cancellationToken)
    {
        var isSubset = Platforms.Count > 0 && image!.Root.Manifest.Digest != source;
        return new(source)
        {
            LeftReferrers = _request.Referrers && isSubset ? await Referrers().ListAsync(source, cancellationToken) : [],
            ForeignLayers = [.. (image?.Manifests ?? []).SelectMany(node => node.ForeignLayers).DistinctBy(layer => layer.Digest)],
        };
    }

    private ReferrerCopy Referrers() => new(_source, _target, _writer, _request.MayOverwrite);

    /// <summary>
    /// Resolves the source and the target's names in parallel. A rejection ends the other requests: nobody should wait for the retries of a
    /// registry when another one has already decided the copy.
    /// </summary>
    private async Task<(Descriptor Source, IReadOnlyList<Descriptor?> Target)> ResolveAsync(CancellationToken cancellationToken)
    {
        using var all = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var source = ResolveSourceAsync(all.Token);
        var target = Names.Select(name => FindAsync(name, all.Token)).ToList();
        Task[] tasks = [source, .. target];
        await foreach (var task in Task.WhenEach(tasks))
        {
            if (task.IsCompletedSuccessfully)
                continue;
            await all.CancelAsync();
            // The source's failure says more if both have failed.
            var failed = source.IsFaulted ? source : task;
            await Task.WhenAll(tasks).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await failed;
        }
        return (await source, await Task.WhenAll(target));
    }

    private async Task<Descriptor> ResolveSourceAsync(CancellationToken cancellationToken) =>
        await _source.ResolveManifestAsync(SourceReference, cancellationToken)
        ?? throw new RegistryException(
            HttpMethod.Head,
            _request.Source.Registry,
            _request.Source.Repository,
            HttpStatusCode.NotFound,
            [],
            reference: SourceReference
        )
        {
            IsImageUnknown = true,
        };

    private Task<Descriptor?> FindAsync(string name, CancellationToken cancellationToken) =>
        Digest.TryParse(name, out var digest)
            ? _writer.FindRootAsync(digest, cancellationToken)
            : TargetContent.LookUpManifestAsync(
                _target.Client,
                _target.Repository,
                name,
                mayMove: _request.MayOverwrite is null,
                cancellationToken
            );

    /// <summary>The names that do not point at the manifest, or only at what is left of it.</summary>
    private async Task<IReadOnlyList<string>> FindMissingNamesAsync(
        IReadOnlyList<Descriptor?> present,
        Descriptor manifest,
        CancellationToken cancellationToken
    )
    {
        var isBroken = false;
        if (present.Any(found => found is not null && found.Digest == manifest.Digest && found.Size != manifest.Size))
            isBroken = !await TargetContent.HasManifestAsync(_target.Client, _target.Repository, manifest, cancellationToken);
        return [.. Names.Where((_, index) => isBroken || present[index]?.Digest != manifest.Digest)];
    }

    /// <exception cref="CopyException">An existing tag must not be moved.</exception>
    private async Task AssertMayOverwriteAsync(
        IReadOnlyList<string> missing,
        IReadOnlyList<Descriptor?> present,
        Digest digest,
        CancellationToken cancellationToken
    )
    {
        var moved = Names
            .Zip(present)
            .Where(name => name.Second is { } existing && existing.Digest != digest && missing.Contains(name.First))
            .ToList();
        if (_request.MayOverwrite is { } mayOverwrite)
            foreach (var (name, existing) in moved)
                if (!await mayOverwrite(name, existing!, cancellationToken))
                    throw new CopyException(
                        $"{_target.Registry}/{_target.Repository}:{name} points at {existing!.Digest}, which must not be overwritten "
                            + $"with {_request.Source}"
                    );
        await _lists.AssertNoneAsync(moved.Select(name => name.First), _request.Source, cancellationToken);
    }

    private async Task<ImageGraph> ReadAsync(Digest digest, CancellationToken cancellationToken)
    {
        var root = await GetRootAsync(digest, cancellationToken);
        // Referrers have no platforms of which some could be left out.
        IReadOnlyList<Platform> platforms = TagOfList(root) is null ? Platforms : [];
        return await new ImageGraphReader(_source, ManifestBudget.ForImage()).ReadAsync(
            root,
            platforms,
            _request.Subset,
            cancellationToken
        );
    }

    /// <summary>By digest, so that a moving tag has no effect; by tag if a registry only has it under that name.</summary>
    private async Task<Manifest> GetRootAsync(Digest digest, CancellationToken cancellationToken)
    {
        try
        {
            return await _source.GetManifestAsync(digest.ToString(), cancellationToken);
        }
        catch (RegistryException fault) when (fault.Status == HttpStatusCode.NotFound && !Digest.TryParse(SourceReference, out _))
        {
            return await _source.GetManifestAsync(SourceReference, cancellationToken);
        }
    }
}
