using System.Buffers;
using ProxySwapper.Population.Queue;
using ProxySwapper.Population.Work;
using ProxySwapper.Registry.Copying;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Registry.Distribution;
using ProxySwapper.Registry.Oci;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Population.Transfer;

/// <summary>
/// Pulls images through a cache like a node does: the manifest, the platform's manifest, its configuration and its layers. The bytes are
/// verified and discarded; for an image pulled before, only manifests are requested.
/// </summary>
internal sealed class CacheWarmer(RegistryClients clients, IRegistryCredentialSource credentials, TimeProvider time)
{
    /// <summary>Layers pulled at once, the default of container runtimes.</summary>
    private const int ParallelLayers = 3;

    /// <summary>Limit of nested indexes.</summary>
    private const int MaximumDepth = 4;
    private const int BufferSize = 128 * 1024;

    private readonly ImagePresenceCache _warm = new(time);

    /// <summary>Warms one image.</summary>
    /// <exception cref="RegistryException">The cache failed after all retries.</exception>
    public async Task<TransferResult> WarmAsync(WarmUpWork work, IProgress<CopyProgress> progress, CancellationToken cancellationToken)
    {
        var client = clients.For(work.Target.Registry, credentials);
        var manifest = await client.GetManifestAsync(work.Target.Repository, work.Target.ManifestReference, cancellationToken);
        var digest = manifest.Digest.ToString();
        for (var depth = 0; MediaTypes.IsIndex(manifest.MediaType); depth++)
        {
            if (depth == MaximumDepth)
                throw new FormatException($"{work.Target} is an index of indexes, deeper than {MaximumDepth}");
            manifest = await client.GetManifestAsync(work.ChildRepository, ChildOf(manifest, work).Digest.ToString(), cancellationToken);
        }
        var key = $"{work.Target.Registry}/{work.ChildRepository}@{manifest.Digest}";
        if (_warm.IsKnown(key))
            return new TransferResult(TransferOutcome.UpToDate, 0, digest);
        var blobs = ManifestReferences.Read(manifest).Blobs;
        foreach (var blob in blobs)
            progress.Report(new CopyProgress(blob, CopyStep.Planned, 0));
        await Parallel.ForEachAsync(
            blobs,
            new ParallelOptions { MaxDegreeOfParallelism = ParallelLayers, CancellationToken = cancellationToken },
            async (blob, token) => await PullAsync(client, work.ChildRepository, blob, progress, token)
        );
        _warm.Remember(key, null);
        return new TransferResult(TransferOutcome.Warmed, blobs.Sum(blob => blob.Size), digest);
    }

    private static Descriptor ChildOf(Manifest index, WarmUpWork work)
    {
        var children = ManifestReferences.Read(index).Children;
        return children.FirstOrDefault(child => child.Platform is { } platform && work.Platform.IsMatch(platform))
            ?? children.FirstOrDefault(child => MediaTypes.IsIndex(child.MediaType))
            ?? throw new FormatException(
                $"{work.Target} has no manifest for {work.Platform}; it has "
                    + $"{string.Join(", ", children.Select(child => child.Platform).OfType<Platform>())}"
            );
    }

    private static async Task PullAsync(
        RegistryClient client,
        string repository,
        Descriptor blob,
        IProgress<CopyProgress> progress,
        CancellationToken cancellationToken
    )
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            await using var content = await client.OpenBlobAsync(repository, blob, cancellationToken);
            long bytes = 0;
            while (await content.ReadAsync(buffer, cancellationToken) is > 0 and var read)
                progress.Report(new CopyProgress(blob, CopyStep.Transferring, bytes += read));
            progress.Report(new CopyProgress(blob, CopyStep.Copied, bytes));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
