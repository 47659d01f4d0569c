using System.Net;
using ProxySwapper.Registry.Distribution;
using ProxySwapper.Registry.Oci;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Registry.Copying;

/// <summary>
/// One copy of one image: (1) what the source points at, (2) whether the target points at it already, (3) everything below, (4) which
/// manifests are missing, (5) their blobs, (6) manifests, children first, (7) the tags, (8) what refers to the image.
/// </summary>
internal sealed class ImageCopy : IDisposable
{
    private const int ParallelBlobs = 6;
    private const int ParallelManifests = 4;

    private readonly CopyRequest _request;
    private readonly RegistryClient _source;
    private readonly RegistryClient _target;
    private readonly BlobTracker _ledger;
    private readonly CopySession _ticket;
    private readonly RepositoryCreator _repository;
    private readonly BlobCopier _blobs;
    private int _manifestsWritten;

    public ImageCopy(RegistryClients clients, BlobTracker ledger, CopyRequest request)
    {
        _request = request;
        _source = clients.For(request.Source.Registry, request.SourceCredentials);
        _target = clients.For(request.Target.Registry, request.TargetCredentials);
        _ledger = ledger;
        _ticket = ledger.Enter();
        _repository = new RepositoryCreator(request.Target, request.CreateRepository);
        _blobs = new BlobCopier(
            _source,
            request.Source.Repository,
            _target,
            request.Target.Repository,
            ledger,
            _ticket,
            _repository,
            request.Progress
        );
    }

    /// <summary>A digest at the target is a promise: then platforms are not looked at.</summary>
    private IReadOnlyList<Platform> Platforms => _request.Target.Digest is null ? _request.Platforms : [];

    /// <summary>What is asked for at the source; the target's digest counts, since exactly it must be written.</summary>
    private string SourceReference => _request.Target.Digest?.ToString() ?? _request.Source.ManifestReference;

    private IReadOnlyList<string> Tags =>
        [.. new[] { _request.Target.Tag ?? (_request.Target.Digest is null ? "latest" : null) }.OfType<string>(), .. _request.ExtraTags];

    public async Task<CopyResult> RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            var sourceDigest = await ResolveAsync(cancellationToken);
            var graph = Platforms.Count > 0 ? await ReadAsync(sourceDigest, cancellationToken) : null;
            var targetDigest = graph?.Root.Content.Digest ?? sourceDigest;
            var names = Tags.Count > 0 ? Tags : [targetDigest.ToString()];
            var missing = await MissingNamesAsync(names, targetDigest, cancellationToken);
            if (missing.Count > 0)
            {
                graph ??= await ReadAsync(sourceDigest, cancellationToken);
                await WriteAsync(graph, missing, cancellationToken);
            }
            if (_request.Referrers)
                await new ReferrerCopy(this, _source, _target, _request).RunAsync(
                    graph ?? await ReadAsync(sourceDigest, cancellationToken),
                    cancellationToken
                );
            return _blobs.AddTo(
                new CopyResult(_manifestsWritten > 0 ? CopyOutcome.Copied : CopyOutcome.UpToDate, sourceDigest, targetDigest)
                {
                    ManifestsWritten = _manifestsWritten,
                }
            );
        }
        finally
        {
            _ticket.End();
        }
    }

    public async Task<CopyPlan> PlanAsync(CancellationToken cancellationToken)
    {
        _ticket.End();
        var sourceDigest = await ResolveAsync(cancellationToken);
        var graph = await ReadAsync(sourceDigest, cancellationToken);
        var targetDigest = graph.Root.Content.Digest;
        var names = await MissingNamesAsync(Tags.Count > 0 ? Tags : [targetDigest.ToString()], targetDigest, cancellationToken);
        if (names.Count == 0)
            return new CopyPlan(sourceDigest, targetDigest, [], [], 0);
        var manifests = await MissingManifestsAsync(graph.Below, cancellationToken);
        var blobs = new List<Descriptor>();
        foreach (var blob in manifests.Append(graph.Root).SelectMany(node => node.Blobs).DistinctBy(blob => blob.Digest))
            if (await _blobs.IsMissingAsync(blob, cancellationToken))
                blobs.Add(blob);
        // An upload is two requests, a manifest one, and one more for each further tag.
        return new CopyPlan(
            sourceDigest,
            targetDigest,
            [.. manifests.Append(graph.Root).Select(node => node.Content.Descriptor)],
            blobs,
            blobs.Count * 2 + manifests.Count + names.Count
        );
    }

    public void Dispose() => _repository.Dispose();

    /// <summary>Writes an image under some names, with all that is missing below it.</summary>
    public async Task WriteAsync(ImageGraph graph, IReadOnlyList<string> names, CancellationToken cancellationToken)
    {
        var missing = await MissingManifestsAsync(graph.Below, cancellationToken);
        try
        {
            await WriteOnceAsync(graph, missing, names, cancellationToken);
        }
        catch (RegistryException fault) when (fault.HasCode("MANIFEST_BLOB_UNKNOWN") || fault.HasCode("BLOB_UNKNOWN"))
        {
            // Something that was known to be there is there no more: what is known is asked for anew, once.
            foreach (var blob in graph.Manifests.SelectMany(node => node.Blobs))
                _ledger.EntryOf(_target.Registry, blob.Digest).Remove(_request.Target.Repository);
            await WriteOnceAsync(graph, graph.Below, names, cancellationToken);
        }
    }

    /// <summary>An image of the source's repository, whole.</summary>
    public Task<ImageGraph> ReadWholeAsync(Digest digest, CancellationToken cancellationToken) =>
        new ImageGraphReader(_source, _request.Source.Repository).ReadAsync(digest, [], PlatformSubset.NewIndex, cancellationToken);

    /// <summary>Which of these names do not point at the digest.</summary>
    public async Task<IReadOnlyList<string>> MissingNamesAsync(
        IReadOnlyList<string> names,
        Digest digest,
        CancellationToken cancellationToken
    )
    {
        var missing = new List<string>();
        foreach (var name in names)
            if ((await TargetContent.FindManifestAsync(_target, _request.Target.Repository, name, cancellationToken))?.Digest != digest)
                missing.Add(name);
        return missing;
    }

    private async Task WriteOnceAsync(
        ImageGraph graph,
        IReadOnlyList<ManifestNode> below,
        IReadOnlyList<string> names,
        CancellationToken cancellationToken
    )
    {
        // The large ones first: they take longest, and the small ones fill the gaps.
        var blobs = below
            .Append(graph.Root)
            .SelectMany(node => node.Blobs)
            .DistinctBy(blob => blob.Digest)
            .OrderByDescending(blob => blob.Size)
            .ToList();
        await ForEachAsync(blobs, ParallelBlobs, _blobs.EnsureAsync, cancellationToken);
        var (images, indexes) = (below.Where(node => node.Children.Count == 0), below.Where(node => node.Children.Count > 0));
        await ForEachAsync(
            [.. images],
            ParallelManifests,
            (node, token) => PutAsync(node, node.Content.Digest.ToString(), token),
            cancellationToken
        );
        foreach (var index in indexes)
            await PutAsync(index, index.Content.Digest.ToString(), cancellationToken);
        foreach (var name in names)
            await PutAsync(graph.Root, name, cancellationToken);
    }

    private async Task PutAsync(ManifestNode node, string name, CancellationToken cancellationToken)
    {
        await _repository.RetryAfterCreatingAsync(
            async token =>
            {
                await _target.PutManifestAsync(_request.Target.Repository, name, node.Content, token);
                return true;
            },
            cancellationToken
        );
        Interlocked.Increment(ref _manifestsWritten);
        _ticket.Touch();
    }

    private async Task<Digest> ResolveAsync(CancellationToken cancellationToken)
    {
        var found = await _source.HeadManifestAsync(_request.Source.Repository, SourceReference, cancellationToken);
        return found?.Digest
            ?? throw new RegistryException(
                HttpMethod.Head,
                _request.Source.Registry,
                _request.Source.Repository,
                HttpStatusCode.NotFound,
                [],
                $"there is no {SourceReference}"
            );
    }

    private Task<ImageGraph> ReadAsync(Digest digest, CancellationToken cancellationToken) =>
        new ImageGraphReader(_source, _request.Source.Repository).ReadAsync(digest, Platforms, _request.Subset, cancellationToken);

    /// <summary>
    /// A manifest that is there has its blobs, which registries demand when it is written; an index can have lost children.
    /// </summary>
    private async Task<IReadOnlyList<ManifestNode>> MissingManifestsAsync(
        IReadOnlyList<ManifestNode> manifests,
        CancellationToken cancellationToken
    )
    {
        var isMissing = new bool[manifests.Count];
        await Parallel.ForAsync(
            0,
            manifests.Count,
            new ParallelOptions { MaxDegreeOfParallelism = ParallelManifests, CancellationToken = cancellationToken },
            async (index, token) =>
                isMissing[index] =
                    await TargetContent.FindManifestAsync(
                        _target,
                        _request.Target.Repository,
                        manifests[index].Content.Digest.ToString(),
                        token
                    )
                        is null
        );
        return [.. manifests.Where((_, index) => isMissing[index])];
    }

    private static Task ForEachAsync<T>(
        IReadOnlyList<T> items,
        int parallel,
        Func<T, CancellationToken, Task> work,
        CancellationToken cancellationToken
    ) =>
        Parallel.ForEachAsync(
            items,
            new ParallelOptions { MaxDegreeOfParallelism = parallel, CancellationToken = cancellationToken },
            async (item, token) => await work(item, token)
        );
}
