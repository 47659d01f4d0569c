using System.Diagnostics;
using Microsoft.Extensions.Logging;
using ProxySwapper.Registry.Distribution;
using ProxySwapper.Registry.Timing;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Registry.Copying;

/// <summary>
/// Copies images; the only code that does. One per run: what it learns about the target (which repository has which blob) and what is being
/// copied is shared by all its copies, so that each digest is transferred once.
/// </summary>
public sealed partial class ImageCopier(RegistryClients clients, TimeProvider time, ILogger<ImageCopier> logger)
{
    private static readonly ActivitySource Activities = new("ProxySwapper");
    private readonly BlobTracker _tracker = new(time);

    /// <summary>Copies one image. A tag is only written once everything below it exists.</summary>
    /// <exception cref="RegistryException">Source or target failed after all retries.</exception>
    /// <exception cref="CopyException">The image cannot be copied as requested.</exception>
    /// <exception cref="TimeoutException">It took longer than <see cref="CopyRequest.Timeout"/>.</exception>
    public async Task<CopyResult> CopyAsync(CopyRequest request, CancellationToken cancellationToken)
    {
        using var activity = Activities.StartActivity(
            "copy",
            ActivityKind.Client,
            default(ActivityContext),
            links: request.Causes.Select(cause => new ActivityLink(cause))
        );
        activity?.SetTag("proxyswapper.source", request.Source.ToString());
        activity?.SetTag("proxyswapper.target", request.Target.ToString());
        try
        {
            var result = await RunInTimeAsync(request, (copy, token) => copy.RunAsync(token), cancellationToken);
            activity?.SetTag("proxyswapper.outcome", result.Outcome.ToString());
            if (result.Outcome == CopyOutcome.Copied)
                Log.Copied(
                    logger,
                    request.Source,
                    request.Target,
                    result.TargetDigest,
                    result.BlobsCopied,
                    result.BlobsMounted,
                    result.BytesCopied
                );
            return result;
        }
        catch (Exception fault)
        {
            activity?.SetStatus(ActivityStatusCode.Error, fault.Message);
            throw;
        }
    }

    /// <summary>Plans a copy with requests that do not change anything.</summary>
    /// <exception cref="RegistryException">Source or target failed after all retries.</exception>
    /// <exception cref="CopyException">The image cannot be copied as requested.</exception>
    /// <exception cref="TimeoutException">It took longer than <see cref="CopyRequest.Timeout"/>.</exception>
    public Task<CopyPlan> PlanAsync(CopyRequest request, CancellationToken cancellationToken) =>
        RunInTimeAsync(request, (copy, token) => copy.PlanAsync(token), cancellationToken);

    private async Task<T> RunInTimeAsync<T>(
        CopyRequest request,
        Func<ImageCopy, CancellationToken, Task<T>> run,
        CancellationToken cancellationToken
    )
    {
        var limit = request.Timeout ?? Timeout.InfiniteTimeSpan;
        using var timeout = new OperationTimeout(limit, time, cancellationToken);
        using var copy = new ImageCopy(clients, _tracker, request, time);
        try
        {
            return await run(copy, timeout.Token);
        }
        catch (OperationCanceledException fault) when (timeout.HasPassed)
        {
            throw new TimeoutException(
                $"{request.Target}: copying from {request.Source} timed out after {DurationFormat.Format(limit)}",
                fault
            );
        }
    }

    private static partial class Log
    {
        [LoggerMessage(
            1,
            LogLevel.Debug,
            "{Source} copied to {Target} as {Digest}: blobs copied: {Copied}, mounted: {Mounted}, bytes: {Bytes}"
        )]
        public static partial void Copied(
            ILogger logger,
            ImageReference source,
            ImageReference target,
            Digest digest,
            int copied,
            int mounted,
            long bytes
        );
    }
}
