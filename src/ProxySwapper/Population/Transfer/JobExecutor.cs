using System.Diagnostics;
using ProxySwapper.Population.Cluster;
using ProxySwapper.Population.Downstream;
using ProxySwapper.Population.Queue;
using ProxySwapper.Population.Work;
using ProxySwapper.Rules;

namespace ProxySwapper.Population.Transfer;

/// <summary>Runs one job and reports the result to queue, metrics, trace and log. Never throws.</summary>
internal sealed partial class JobExecutor(
    ConfigurationMonitor rules,
    PopulationQueue queue,
    ImageTransfer transfer,
    CopyClaims claims,
    DownstreamLookup lookup,
    FailedImages givenUp,
    FinishedImages finished,
    PopulationMetrics metrics,
    FailureEvents events,
    DownstreamHealth health,
    TimeProvider time,
    ILogger<JobExecutor> logger
)
{
    /// <summary>How long to wait for another replica's copy before checking again.</summary>
    private static readonly TimeSpan LongestDeferral = TimeSpan.FromSeconds(3);

    private static readonly ActivitySource Activities = new("ProxySwapper");

    public async Task RunAsync(PopulationJob job, CancellationToken cancellationToken)
    {
        if (rules.Current.Options.DryRun)
        {
            // Queued before a reload switched it on.
            queue.Failed(job, new JobFailure("dryRun is on: nothing is copied", FailureKind.Permanent));
            return;
        }
        try
        {
            var (claim, heldUntil) = await claims.TryClaimAsync(job.Work, cancellationToken);
            if (claim is null)
            {
                // The watch reports its end, which may already have happened in the meantime.
                var next = time.GetUtcNow() + LongestDeferral;
                queue.Defer(job, heldUntil < next ? heldUntil.Value : next);
                Log.Deferred(logger, job.Work.Key, heldUntil!.Value);
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
            // A bug of ours: otherwise the job would occupy its worker for ever.
            Log.Broken(logger, job.Work.Key, fault);
            Fail(job, new JobFailure(fault.Message, FailureKind.Transient));
        }
    }

    private async Task RunAsync(PopulationJob job, CopyClaim claim, CancellationToken cancellationToken)
    {
        var links = job.Origins.Where(origin => origin.Trace != default).Select(origin => new ActivityLink(origin.Trace));
        using var activity = Activities.StartActivity(ActivityKind.Consumer, name: "populate", links: links);
        activity?.SetTag("proxyswapper.source", job.Work.Origin.ToString()).SetTag("proxyswapper.target", job.Work.Target.ToString());
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, claim.Lost);
        using var stoppable = queue.LetStop(job, stop);
        var started = time.GetTimestamp();
        try
        {
            var progress = new JobProgress(job, queue, stop.Cancel);
            var result = await transfer.RunAsync(job.Work, job.Origins, progress, stop.Token);
            Succeed(job, result, time.GetElapsedTime(started));
        }
        catch (OperationCanceledException) when (claim.Lost.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            // Claimed again at once: the response says how long the Lease of the new holder lasts.
            queue.Defer(job, time.GetUtcNow());
            Log.Lost(logger, job.Work.Key);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            queue.Requeue(job);
            if (cancellationToken.IsCancellationRequested)
                Log.Stopped(logger, job.Work.Key);
            else
                Log.MadeWay(logger, job.Work.Key, job.BytesTotal);
        }
        catch (Exception fault) when (FailureClassifier.IsExpected(fault))
        {
            var failure = FailureClassifier.Read(fault);
            if (await IsNothingToDoAsync(job, failure, cancellationToken))
            {
                Log.Kept(logger, job.Work.Key, failure.Message);
                Succeed(job, new TransferResult(TransferOutcome.UpToDate, 0, lookup.DigestOf(job.Work.Key) ?? ""), TimeSpan.Zero);
                return;
            }
            activity?.SetStatus(ActivityStatusCode.Error, fault.Message);
            Fail(job, failure);
        }
        catch (Exception fault)
        {
            // A bug of ours: the other images continue.
            activity?.SetStatus(ActivityStatusCode.Error, fault.Message);
            Log.Broken(logger, job.Work.Key, fault);
            Fail(job, new JobFailure(fault.Message, FailureKind.Transient));
        }
    }

    /// <summary>Whether the source image is no longer accessible while the target exists.</summary>
    private async Task<bool> IsNothingToDoAsync(PopulationJob job, JobFailure failure, CancellationToken cancellationToken) =>
        failure is { Kind: FailureKind.Permanent, Host: { } host }
        && host == job.Work.Origin.Registry
        && job.Work is CopyWork
        && await lookup.AskAsync(job.Work.Target, cancellationToken) == ImagePresence.Present;

    private void Succeed(PopulationJob job, TransferResult result, TimeSpan duration)
    {
        givenUp.Forget(job.Work.Key);
        metrics.Succeeded(job, result, duration);
        finished.Add(job, result, duration);
        if (result.Outcome == TransferOutcome.UpToDate)
            Log.UpToDate(logger, job.Work.Key, result.Digest);
        else
            Log.Done(logger, job.Work.Key, job.Work.Origin.ToString(), result.Bytes, duration.TotalSeconds, result.Digest);
        queue.Succeeded(job, result.Digest.Length > 0 ? result.Digest : null);
    }

    private void Fail(PopulationJob job, JobFailure fault)
    {
        if (fault.Host == job.Work.Target.Registry)
            Suspect(job.Work, fault);
        var ended = queue.Failed(job, fault);
        foreach (var image in ended)
        {
            metrics.GivenUp(image);
            givenUp.Add(image);
            events.Report(image);
            Log.GivenUp(logger, image.Work.Key, image.Work.Origin.ToString(), image.Failures, image.LastFault ?? "");
        }
        if (ended.Contains(job))
            return;
        metrics.Retried(job);
        Log.Retried(logger, job.Work.Key, job.Failures, job.ReadyAt, fault.Message);
    }

    /// <summary>The registry that images are copied to failed: whether Pods can be sent there is checked before its time.</summary>
    private void Suspect(PopulationWork work, JobFailure fault)
    {
        if (fault.Kind == FailureKind.RegistryDown)
            health.Suspect(work.Target.Registry);
        else if (fault.IsDenied && work is CopyWork)
            health.Suspect(work.Target.Registry, work.Target.Repository);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "{Target} is downstream, from {Source}: {Bytes} bytes in {Seconds:0.0} s, {Digest}")]
        public static partial void Done(ILogger logger, string target, string source, long bytes, double seconds, string digest);

        [LoggerMessage(2, LogLevel.Debug, "{Target} was already downstream: {Digest}")]
        public static partial void UpToDate(ILogger logger, string target, string digest);

        [LoggerMessage(3, LogLevel.Warning, "{Target}: attempt {Failures} failed, next attempt at {NextTry:u}: {Fault}")]
        public static partial void Retried(ILogger logger, string target, int failures, DateTimeOffset nextTry, string fault);

        [LoggerMessage(4, LogLevel.Error, "Giving up on {Target} from {Source} after {Failures} attempts: {Fault}")]
        public static partial void GivenUp(ILogger logger, string target, string source, int failures, string fault);

        [LoggerMessage(5, LogLevel.Information, "{Target} is requeued behind other images: it has {Bytes} bytes to copy")]
        public static partial void MadeWay(ILogger logger, string target, long bytes);

        [LoggerMessage(6, LogLevel.Warning, "{Target} was interrupted by shutdown")]
        public static partial void Stopped(ILogger logger, string target);

        [LoggerMessage(8, LogLevel.Debug, "{Target} is being copied by another replica, at least until {Until:u}")]
        public static partial void Deferred(ILogger logger, string target, DateTimeOffset until);

        [LoggerMessage(9, LogLevel.Warning, "{Target}: another replica has taken over the Lease and the copy")]
        public static partial void Lost(ILogger logger, string target);

        [LoggerMessage(10, LogLevel.Information, "Keeping {Target}, which exists already: its source can no longer be read: {Error}")]
        public static partial void Kept(ILogger logger, string target, string error);

        [LoggerMessage(7, LogLevel.Error, "{Target} failed with an internal error")]
        public static partial void Broken(ILogger logger, string target, Exception fault);
    }
}
