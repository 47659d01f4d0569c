using ProxySwapper.Population.Cluster;
using ProxySwapper.Population.Downstream;
using ProxySwapper.Population.Queue;
using ProxySwapper.Population.Work;

namespace ProxySwapper.Population.Transfer;

/// <summary>Reports how a job ended: to the queue, metrics, Events, lists of images, and the log.</summary>
internal sealed partial class JobResults(
    PopulationQueue queue,
    FailedImages givenUp,
    FinishedImages finished,
    PopulationMetrics metrics,
    FailureEvents events,
    DownstreamHealth health,
    ILogger<JobResults> logger
)
{
    /// <summary>The target is downstream.</summary>
    public void Succeeded(PopulationJob job, TransferResult result, TimeSpan duration)
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

    /// <summary>The job failed: it is retried, or given up with others that cannot succeed either.</summary>
    public void Failed(PopulationJob job, JobFailure fault)
    {
        if (fault.Host == job.Work.Target.Registry)
            ReportToHealth(job.Work, fault);
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
        Log.Retried(logger, job.Work.Key, job.Failures, queue.Clock.ToSystemTime(job.ReadyAt), fault.Message);
    }

    /// <summary>The downstream registry failed: its health is checked at once, since Pods are sent there.</summary>
    private void ReportToHealth(PopulationWork work, JobFailure fault)
    {
        if (fault.Kind == FailureKind.RegistryDown)
            health.ReportFailure(work.Target.Registry);
        else if (fault.IsDenied && work is CopyWork)
            health.ReportDenial(work.Target.Registry, work.Target.Repository);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "{Target} is downstream, from {Source}: {Bytes} bytes in {Seconds:0.0} s, {Digest}")]
        public static partial void Done(ILogger logger, string target, string source, long bytes, double seconds, string digest);

        [LoggerMessage(2, LogLevel.Debug, "{Target} was already downstream: {Digest}")]
        public static partial void UpToDate(ILogger logger, string target, string digest);

        [LoggerMessage(3, LogLevel.Warning, "{Target}: attempt {Failures} failed, next attempt at {NextTry:u}: {Fault}")]
        public static partial void Retried(ILogger logger, string target, int failures, DateTimeOffset nextTry, string fault);

        [LoggerMessage(4, LogLevel.Error, "Giving up on {Target} from {Source} after attempt {Failures}: {Fault}")]
        public static partial void GivenUp(ILogger logger, string target, string source, int failures, string fault);
    }
}
