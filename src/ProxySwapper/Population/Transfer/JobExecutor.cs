using System.Diagnostics;
using ProxySwapper.Population.Cluster;
using ProxySwapper.Population.Downstream;
using ProxySwapper.Population.Queue;
using ProxySwapper.Population.Work;

namespace ProxySwapper.Population.Transfer;

/// <summary>Runs one job while this replica holds its claim. Never throws.</summary>
internal sealed partial class JobExecutor(
    PopulationQueue queue,
    ImageTransfer transfer,
    CopyClaims claims,
    DownstreamLookup lookup,
    JobResults results,
    TimeProvider time,
    ILogger<JobExecutor> logger
)
{
    /// <summary>How long to wait for another replica's copy before checking again.</summary>
    private static readonly TimeSpan LongestDeferral = TimeSpan.FromSeconds(3);

    private static readonly ActivitySource Activities = new("ProxySwapper");

    public async Task RunAsync(PopulationJob job, CancellationToken cancellationToken)
    {
        try
        {
            var (claim, nextTry) = await claims.TryClaimAsync(job.Work, cancellationToken);
            if (claim is null)
            {
                // The watch reports its end, which may already have happened in the meantime.
                var pause = nextTry!.Value - time.GetUtcNow();
                queue.Defer(job, pause < LongestDeferral ? pause : LongestDeferral);
                Log.Deferred(logger, job.Work.Key, nextTry.Value);
                return;
            }
            await using (claim)
                await RunAsync(job, claim, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            queue.Requeue(job);
        }
        catch (Exception fault)
        {
            // A bug in this program: otherwise the job would occupy its worker forever.
            Log.Broken(logger, job.Work.Key, fault);
            results.Failed(job, new JobFailure(fault.Message, FailureKind.Transient));
        }
    }

    private async Task RunAsync(PopulationJob job, CopyClaim claim, CancellationToken cancellationToken)
    {
        var links = job.Origins.Where(origin => origin.Trace != default).Select(origin => new ActivityLink(origin.Trace));
        using var activity = Activities.StartActivity(ActivityKind.Consumer, name: "populate", links: links);
        activity?.SetTag("proxyswapper.source", job.Work.Origin.ToString()).SetTag("proxyswapper.target", job.Work.Target.ToString());
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, claim.Lost);
        using var stoppable = queue.AllowPreemption(job, stop);
        var started = time.GetTimestamp();
        try
        {
            var progress = new JobProgress(job, queue, stop.Cancel);
            var result = await transfer.RunAsync(job.Work, job.Origins, progress, stop.Token);
            results.Succeeded(job, result, time.GetElapsedTime(started));
        }
        catch (OperationCanceledException) when (claim.Lost.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            // Claimed again at once: the response says how long the Lease of the new holder lasts.
            queue.Defer(job, TimeSpan.Zero);
            if (claim.IsTaken)
                Log.Lost(logger, job.Work.Key);
            else
                Log.Expired(logger, job.Work.Key, CopyClaim.Validity.TotalSeconds);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            queue.Requeue(job);
            if (cancellationToken.IsCancellationRequested)
                Log.Stopped(logger, job.Work.Key);
            else
                Log.Requeued(logger, job.Work.Key, job.BytesTotal);
        }
        catch (Exception fault) when (FailureClassifier.IsExpected(fault))
        {
            var failure = FailureClassifier.Read(fault);
            if (await IsNothingToDoAsync(job, failure, cancellationToken))
            {
                Log.Kept(logger, job.Work.Key, failure.Message);
                results.Succeeded(job, new TransferResult(TransferOutcome.UpToDate, 0, lookup.DigestOf(job.Work.Key) ?? ""), TimeSpan.Zero);
                return;
            }
            activity?.SetStatus(ActivityStatusCode.Error, fault.Message);
            results.Failed(job, failure);
        }
        catch (Exception fault)
        {
            // A bug in this program: the other images continue.
            activity?.SetStatus(ActivityStatusCode.Error, fault.Message);
            Log.Broken(logger, job.Work.Key, fault);
            results.Failed(job, new JobFailure(fault.Message, FailureKind.Transient));
        }
    }

    /// <summary>Whether the source image is no longer accessible while the target exists.</summary>
    private async Task<bool> IsNothingToDoAsync(PopulationJob job, JobFailure failure, CancellationToken cancellationToken) =>
        failure is { Kind: FailureKind.Permanent, Host: { } host }
        && host == job.Work.Origin.Registry
        && job.Work is CopyWork
        && await lookup.LookUpUncachedAsync(job.Work.Target, cancellationToken) == ImagePresence.Present;

    private static partial class Log
    {
        [LoggerMessage(5, LogLevel.Information, "{Target} is requeued behind other images: it has {Bytes} bytes to copy")]
        public static partial void Requeued(ILogger logger, string target, long bytes);

        [LoggerMessage(6, LogLevel.Warning, "{Target} was interrupted by shutdown")]
        public static partial void Stopped(ILogger logger, string target);

        [LoggerMessage(8, LogLevel.Debug, "{Target} is not claimed by this replica, next attempt not before {NextTry:u}")]
        public static partial void Deferred(ILogger logger, string target, DateTimeOffset nextTry);

        [LoggerMessage(9, LogLevel.Warning, "{Target}: another replica has taken over the Lease and the copy")]
        public static partial void Lost(ILogger logger, string target);

        [LoggerMessage(
            11,
            LogLevel.Warning,
            "{Target}: the copy stops, since its Lease was not renewed for {Seconds} s and may be taken over"
        )]
        public static partial void Expired(ILogger logger, string target, double seconds);

        [LoggerMessage(10, LogLevel.Information, "Keeping {Target}, which exists already: its source can no longer be read: {Error}")]
        public static partial void Kept(ILogger logger, string target, string error);

        [LoggerMessage(7, LogLevel.Error, "{Target} failed with an internal error")]
        public static partial void Broken(ILogger logger, string target, Exception fault);
    }
}
