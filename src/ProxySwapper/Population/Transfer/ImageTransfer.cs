using System.Runtime.ExceptionServices;
using ProxySwapper.Population.Queue;
using ProxySwapper.Population.Work;
using ProxySwapper.Registries;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Copying;

namespace ProxySwapper.Population.Transfer;

/// <summary>Does one job's work: a copy with the credentials of its Pods, or a warm-up.</summary>
internal sealed class ImageTransfer(RegistryServices access, CacheWarmer warmer, SourceCredentials sources)
{
    /// <summary>
    /// What takes longer gives its worker back, whatever size the image claims to have; blobs that move too slowly end long before.
    /// </summary>
    private static readonly TimeSpan LongestCopy = TimeSpan.FromHours(4);

    public Task<TransferResult> RunAsync(PopulationJob job, IProgress<CopyProgress> progress, CancellationToken cancellationToken) =>
        job.Work switch
        {
            WarmUpWork warmUp => warmer.WarmAsync(warmUp, progress, cancellationToken),
            CopyWork copy => CopyAsync(copy, job.Origins, progress, cancellationToken),
            var other => throw new InvalidOperationException($"{other} is no work."),
        };

    private async Task<TransferResult> CopyAsync(
        CopyWork work,
        IReadOnlyList<PodOrigin> origins,
        IProgress<CopyProgress> progress,
        CancellationToken cancellationToken
    )
    {
        var request = new CopyRequest(work.Source, work.Target)
        {
            TargetCredentials = access.Credentials,
            CreateRepository = access.Repositories.CreateAsync,
            ExtraTags = ExtraTagsOf(work.Target),
            Platforms = work.Platforms,
            // One platform is what the populator plugin wrote: its manifest under the tag.
            Subset = work.Platforms.Count == 1 ? PlatformSubset.Flatten : PlatformSubset.NewIndex,
            Timeout = LongestCopy,
            Causes = [.. origins.Select(origin => origin.Trace).Where(trace => trace != default)],
            Progress = progress,
        };
        ExceptionDispatchInfo? denial = null;
        await foreach (var credentials in sources.ForAsync(work.Source, origins, cancellationToken))
        {
            try
            {
                var result = await access.Copier.CopyAsync(request with { SourceCredentials = credentials }, cancellationToken);
                var outcome = result.Outcome == CopyOutcome.Copied ? TransferOutcome.Copied : TransferOutcome.UpToDate;
                return new TransferResult(outcome, result.BytesCopied, result.TargetDigest.ToString());
            }
            catch (Exception fault) when (FailureClassifier.IsDenial(fault, work.Source.Registry))
            {
                // The first word counts: it is of the secret that was meant for this image.
                denial ??= ExceptionDispatchInfo.Capture(fault);
            }
        }
        denial!.Throw();
        throw denial.SourceException;
    }

    /// <summary>
    /// What a Pod names by its digest alone gets a tag in ECR, or a lifecycle rule for untagged images deletes it. Elsewhere that tag would
    /// be in the way: it is the one where registries without the API for referrers keep them.
    /// </summary>
    private IReadOnlyList<string> ExtraTagsOf(ImageReference target) =>
        target is { Tag: null, Digest: { } digest } && access.Repositories.IsEcr(target.Registry)
            ? [$"{digest.Algorithm}-{digest.Hex}"]
            : [];
}
