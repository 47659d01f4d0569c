using System.Runtime.ExceptionServices;
using ProxySwapper.Kubernetes;
using ProxySwapper.Population.Queue;
using ProxySwapper.Population.Work;
using ProxySwapper.Registries;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Copying;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Registry.Timing;

namespace ProxySwapper.Population.Transfer;

/// <summary>Transfers one image downstream: a copy with the credentials of its users, or a warm-up.</summary>
internal sealed class ImageTransfer(
    RegistryServices access,
    CacheWarmer warmer,
    SourceCredentials sources,
    TagSources tagSources,
    Func<TimeSpan> limit,
    TimeProvider time
)
{
    /// <summary>Secrets of one namespace with which the source has not responded in time, after which its others are not tried.</summary>
    private const int MaximumTimeouts = 2;

    /// <param name="access">The registries.</param>
    /// <param name="client">The API server that has the pull secrets, or null.</param>
    /// <param name="usesPullSecrets">Whether they are used.</param>
    /// <param name="limit">How long one transfer may take, with all its credentials.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Logs secrets that cannot be read.</param>
    public static ImageTransfer Create(
        RegistryServices access,
        KubernetesClient? client,
        Func<bool> usesPullSecrets,
        Func<TimeSpan> limit,
        TimeProvider time,
        ILogger<SourceCredentials> logger
    )
    {
        var secrets = client is null ? null : new PullSecretReader(client);
        var sources = new SourceCredentials(secrets, access.Credentials, usesPullSecrets, DockerConfigSource.FromJson, logger);
        var warmer = new CacheWarmer(access.Clients, access.Credentials, time);
        return new ImageTransfer(access, warmer, sources, new TagSources(access), limit, time);
    }

    /// <param name="work">What is to be done.</param>
    /// <param name="origins">Who uses the image: their pull secrets may open its source.</param>
    /// <param name="progress">Receives the progress of each blob.</param>
    /// <param name="cancellationToken">Ends the transfer.</param>
    /// <exception cref="TimeoutException">It took longer than the limit.</exception>
    public async Task<TransferResult> RunAsync(
        PopulationWork work,
        IReadOnlyList<PodOrigin> origins,
        IProgress<CopyProgress> progress,
        CancellationToken cancellationToken
    )
    {
        var most = limit();
        using var timeout = new OperationTimeout(most, time, cancellationToken);
        try
        {
            return work switch
            {
                WarmUpWork warmUp => await warmer.WarmAsync(warmUp, progress, timeout.Token),
                CopyWork copy => await CopyAsync(copy, origins, progress, timeout.Token),
                var other => throw new InvalidOperationException($"Unknown kind of work: {other}."),
            };
        }
        catch (OperationCanceledException fault) when (timeout.HasPassed)
        {
            var limit = DurationFormat.Format(most);
            throw new TimeoutException($"{work.Target} from {work.Origin} timed out after {limit} (populate.copyTimeout)", fault);
        }
    }

    private async Task<TransferResult> CopyAsync(
        CopyWork work,
        IReadOnlyList<PodOrigin> origins,
        IProgress<CopyProgress> progress,
        CancellationToken cancellationToken
    )
    {
        if (TagSources.IsRecord(work.Target))
            throw new CopyException($"{work.Target}: tags that begin with '{TagSources.Prefix}' are reserved for records of tags' sources");
        var request = new CopyRequest(work.Source, work.Target)
        {
            TargetCredentials = access.Credentials,
            CreateRepository = access.Repositories.CreateAsync,
            ExtraTags = ExtraTagsOf(work.Target),
            Platforms = work.Platforms,
            // A single platform is written like the populator plugin did: its manifest under the tag.
            Subset = work.Platforms.Count == 1 ? PlatformSubset.Flatten : PlatformSubset.NewIndex,
            MayOverwrite = work.IsTargetShared
                ? async (_, _, token) => await tagSources.FindAsync(work.Target, token) == work.Source.Name
                : null,
            // Images of Pods only: nobody's entries come into the list of another source's image.
            MergesReferrers = false,
            // Before the tag is there: a copy that ends in between must not leave a tag that nobody may move.
            BeforeNaming =
                work.IsTargetShared && work.Target is not { Tag: null, Digest: not null }
                    ? token => tagSources.RecordAsync(work.Target, work.Source, token)
                    : null,
            Causes = [.. origins.Select(origin => origin.Trace).Where(trace => trace != default)],
        };
        var faults = new List<Exception>();
        // By namespace: one secret may be to blame for a registry's silence, but not those of two tenants.
        var timeouts = new Dictionary<string, int>(StringComparer.Ordinal);
        await foreach (
            var (@namespace, credentials) in sources.ForAsync(
                work.Source,
                origins,
                name => timeouts.GetValueOrDefault(name) >= MaximumTimeouts,
                cancellationToken
            )
        )
        {
            var opened = new OpenedSource(progress);
            try
            {
                var result = await access.Copier.CopyAsync(
                    request with
                    {
                        SourceCredentials = credentials,
                        Progress = opened,
                    },
                    cancellationToken
                );
                await access.Repositories.ReconcileAsync(work.Target, cancellationToken);
                var outcome = result.Outcome == CopyOutcome.Copied ? TransferOutcome.Copied : TransferOutcome.UpToDate;
                return new TransferResult(outcome, result.BytesCopied, result.TargetDigest.ToString());
            }
            catch (Exception fault) when (FailureClassifier.MayDependOnCredential(fault, work.Source.Registry, opened.IsOpened))
            {
                faults.Add(fault);
                if (@namespace is null || !FailureClassifier.IsTimeout(fault))
                    continue;
                timeouts[@namespace] = timeouts.GetValueOrDefault(@namespace) + 1;
                if (timeouts.Count > 1)
                    break;
            }
        }
        var isShared = RegistryKey.SourcesOf(work, origins) is not [{ Namespace: not null }];
        var failure = FailureClassifier.Combine(faults, isShared);
        ExceptionDispatchInfo.Throw(failure);
        throw failure;
    }

    /// <summary>
    /// In ECR, an image addressed only by digest gets a tag, or a lifecycle rule for untagged images would delete it. Elsewhere that tag
    /// would conflict: registries without the referrers API use it for referrers.
    /// </summary>
    private IReadOnlyList<string> ExtraTagsOf(ImageReference target) =>
        target is { Tag: null, Digest: { } digest } && access.Repositories.IsEcr(target.Registry)
            ? [$"{digest.Algorithm}-{digest.Hex}"]
            : [];

    /// <summary>Passes progress on; the first of it shows that the source's manifests have been read.</summary>
    private sealed class OpenedSource(IProgress<CopyProgress> inner) : IProgress<CopyProgress>
    {
        private volatile bool _isOpened;

        public bool IsOpened => _isOpened;

        public void Report(CopyProgress value)
        {
            _isOpened = true;
            inner.Report(value);
        }
    }
}
