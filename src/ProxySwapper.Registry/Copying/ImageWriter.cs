using ProxySwapper.Registry.Distribution;
using ProxySwapper.Registry.Oci;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Registry.Copying;

/// <summary>
/// Writes images to the target's repository, each with everything missing below it: (1) find missing manifests, (2) copy their blobs, (3)
/// write manifests, children first, (4) write the tags. An image and its referrers share one writer.
/// </summary>
internal sealed class ImageWriter : IDisposable
{
    private const int ParallelBlobs = 6;
    private const int ParallelManifests = 4;

    private readonly RepositoryClient _target;
    private readonly CopySession _session;
    private readonly RepositoryCreator _creator;
    private readonly BlobCopier _blobs;
    private readonly MissingManifests _missing;
    private readonly Func<CancellationToken, Task>? _beforeNaming;
    private int _manifestsWritten;

    public ImageWriter(RepositoryClient source, RepositoryClient target, CopySession session, CopyRequest request, TimeProvider time)
    {
        (_target, _session, _beforeNaming) = (target, session, request.BeforeNaming);
        _creator = new RepositoryCreator(request.Target, request.CreateRepository, time);
        _blobs = new BlobCopier(source, target, session, _creator, request.Progress);
        _missing = new MissingManifests(target);
    }

    public int ManifestsWritten => _manifestsWritten;

    public CopyResult AddTo(CopyResult result) => _blobs.AddTo(result with { ManifestsWritten = _manifestsWritten });

    /// <summary>Ends the session: its blobs now belong to a committed manifest, or the copy failed.</summary>
    public void Dispose()
    {
        _session.End();
        _creator.Dispose();
    }

    /// <summary>Writes an image under some names.</summary>
    public async Task WriteAsync(ImageGraph image, IReadOnlyList<string> names, CancellationToken cancellationToken)
    {
        var missing = await FindMissingAsync(image.Below, cancellationToken);
        try
        {
            await WriteAsync(image.Root, missing, names, cancellationToken);
        }
        catch (RegistryException fault) when (IsContentGone(fault))
        {
            // Check everything again, once.
            Forget(image);
            await WriteAsync(image.Root, image.Below, names, cancellationToken);
        }
    }

    /// <summary>True if something that was known to exist is gone, such as by a garbage collection.</summary>
    public static bool IsContentGone(RegistryException fault) => fault.HasCode("MANIFEST_BLOB_UNKNOWN") || fault.HasCode("BLOB_UNKNOWN");

    /// <summary>Looks for each blob of an image again when it is written next.</summary>
    public void Forget(ImageGraph image)
    {
        foreach (var blob in image.Manifests.SelectMany(node => node.Blobs))
            _blobs.Forget(blob);
    }

    /// <inheritdoc cref="MissingManifests.IsMissingAsync"/>
    public Task<bool> IsMissingAsync(Descriptor manifest, Digest? subject, CancellationToken cancellationToken) =>
        _missing.IsMissingAsync(manifest, subject, cancellationToken);

    /// <inheritdoc cref="MissingManifests.FindRootAsync"/>
    public Task<Descriptor?> FindRootAsync(Digest digest, CancellationToken cancellationToken) =>
        _missing.FindRootAsync(digest, cancellationToken);

    /// <summary>Writes names of a manifest of which everything below is at the target.</summary>
    public async Task NameAsync(Manifest manifest, IReadOnlyList<string> names, CancellationToken cancellationToken)
    {
        if (_beforeNaming is not null && names.Count > 0)
            await _beforeNaming(cancellationToken);
        foreach (var name in names)
            await PutAsync(manifest, name, cancellationToken);
    }

    /// <summary>Adds entries to the list of referrers under a fallback tag.</summary>
    public async Task EnterAsync(string tag, IReadOnlyList<Descriptor> entries, CancellationToken cancellationToken)
    {
        if (await _target.EnterReferrersAsync(tag, entries, cancellationToken))
            Interlocked.Increment(ref _manifestsWritten);
    }

    /// <summary>What <see cref="WriteAsync(ImageGraph, IReadOnlyList{string}, CancellationToken)"/> would write for some images.</summary>
    public async Task<(IReadOnlyList<Manifest> Manifests, IReadOnlyList<Descriptor> Blobs)> PlanAsync(
        IReadOnlyList<ImageGraph> images,
        CancellationToken cancellationToken
    )
    {
        var manifests = new List<ManifestReferences>();
        foreach (var image in images)
            manifests.AddRange([.. await FindMissingAsync(image.Below, cancellationToken), image.Root]);
        var blobs = new List<Descriptor>();
        foreach (var blob in BlobsOf(manifests))
            if (await _blobs.IsMissingAsync(blob, cancellationToken))
                blobs.Add(blob);
        return ([.. manifests.Select(node => node.Manifest)], blobs);
    }

    private static IEnumerable<Descriptor> BlobsOf(IEnumerable<ManifestReferences> manifests) =>
        manifests.SelectMany(node => node.Blobs).DistinctBy(blob => blob.Digest);

    private async Task WriteAsync(
        ManifestReferences root,
        IReadOnlyList<ManifestReferences> below,
        IReadOnlyList<string> names,
        CancellationToken cancellationToken
    )
    {
        // Large ones first: they take longest, and small ones fill the gaps.
        var blobs = BlobsOf(below.Append(root)).OrderByDescending(blob => blob.Size);
        await ForEachAsync(blobs, ParallelBlobs, _blobs.EnsureAsync, cancellationToken);
        await ForEachAsync(
            below.Where(node => node.Children.Count == 0),
            ParallelManifests,
            (node, token) => PutAsync(node.Manifest, node.Manifest.Digest.ToString(), token),
            cancellationToken
        );
        foreach (var index in below.Where(node => node.Children.Count > 0))
            await PutAsync(index.Manifest, index.Manifest.Digest.ToString(), cancellationToken);
        await NameAsync(root.Manifest, names, cancellationToken);
    }

    private async Task PutAsync(Manifest manifest, string name, CancellationToken cancellationToken)
    {
        await _creator.RetryAfterCreatingAsync(
            async token =>
            {
                await _target.PutManifestAsync(name, manifest, token);
                return true;
            },
            cancellationToken
        );
        Interlocked.Increment(ref _manifestsWritten);
        _session.Touch();
    }

    /// <summary>An existing manifest has its blobs, which registries require when it is written; an index can have lost children.</summary>
    private async Task<IReadOnlyList<ManifestReferences>> FindMissingAsync(
        IReadOnlyList<ManifestReferences> manifests,
        CancellationToken cancellationToken
    )
    {
        var isMissing = new bool[manifests.Count];
        await ForEachAsync(
            Enumerable.Range(0, manifests.Count),
            ParallelManifests,
            async (index, token) =>
                isMissing[index] = await IsMissingAsync(manifests[index].Manifest.Descriptor, manifests[index].Subject, token),
            cancellationToken
        );
        return [.. manifests.Where((_, index) => isMissing[index])];
    }

    private static Task ForEachAsync<T>(
        IEnumerable<T> items,
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
