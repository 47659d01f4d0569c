using ProxySwapper.Configuration;
using ProxySwapper.Kubernetes;
using ProxySwapper.Kubernetes.Connection;
using ProxySwapper.Management;
using ProxySwapper.Population.Cluster;
using ProxySwapper.Population.Downstream;
using ProxySwapper.Population.Queue;
using ProxySwapper.Reporting;
using ProxySwapper.Rules;
using ProxySwapper.Switching;

namespace ProxySwapper.Backfilling;

/// <summary>
/// <c>populate.backfill</c>: at each reconciliation, copies the images of the cluster's Pod templates downstream. Images are queued one at
/// a time, so that images that Pods wait for never wait for these.
/// </summary>
internal sealed partial class TemplateBackfill(
    KubernetesAccess kubernetes,
    ConfigurationMonitor rules,
    PopulationQueue queue,
    DownstreamLookup lookup,
    FailedImages givenUp,
    TimeProvider time,
    ILogger<TemplateBackfill> logger
) : BackgroundService
{
    /// <summary>How often to check whether a job has failed, since failed jobs are retried.</summary>
    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(1);

    /// <summary>The pause after an image was given up: a template may name an image that was deleted years ago.</summary>
    private static readonly TimeSpan RetryAfter = TimeSpan.FromHours(6);

    private readonly HashSet<string> _told = new(StringComparer.Ordinal);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        BackgroundWork.KeepRunningAsync(WorkAsync, time, logger, stoppingToken);

    private async Task WorkAsync(CancellationToken stoppingToken)
    {
        if (kubernetes.Client is not { } client)
            return;
        await BackgroundWork.RepeatAsync(
            () =>
                rules.Current.Options
                    is {
                        DryRun: false,
                        Populate: { Backfill: true, Policy: not PopulatePolicy.None, ReconcileEvery: { Ticks: > 0 } every },
                    }
                    ? every
                    : null,
            token => RunAsync(client, token),
            time,
            stoppingToken
        );
    }

    /// <summary>One pass. Kinds that may not be read are logged once and skipped.</summary>
    /// <returns>False if a reload has replaced the rules that the pass goes by.</returns>
    internal async Task<bool> RunAsync(KubernetesClient client, CancellationToken cancellationToken)
    {
        var current = rules.Current;
        var problems = new ReportProblems();
        try
        {
            var name = kubernetes.WebhookName ?? WebhookSwitch.DefaultName;
            var policy = current.Options.AdmissionPolicy;
            var scope = await WebhookScope.ReadAsync(client, name, policy, null, problems, cancellationToken);
            var builder = new ReportBuilder(current, scope);
            await new ClusterScan(client, null, problems, _ => { }).ReadAsync(builder, cancellationToken);
            var report = ImageReport.Create(builder, problems);
            foreach (var problem in problems.Unknown.Where(_told.Add))
                Log.Unreadable(logger, problem);
            foreach (var assumption in problems.Assumed.Where(_told.Add))
                Log.Assumed(logger, assumption);
            if (await CopyAsync(report, current, cancellationToken) is not { } copied)
                return false;
            Log.Done(logger, report.Workloads, report.Pods, report.Entries.Count, copied);
        }
        catch (Exception fault) when (fault is KubernetesException or KubernetesConnectionException)
        {
            Log.Failed(logger, fault.Message);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The program is shutting down.
        }
        return true;
    }

    /// <returns>How many images were queued; null if a reload has replaced the rules.</returns>
    private async Task<int?> CopyAsync(ImageReport report, RuleSet current, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var queued = 0;
        var seen = givenUp
            .Snapshot()
            .Where(image => now - image.At < RetryAfter)
            .Select(image => image.Work.Key)
            .ToHashSet(StringComparer.Ordinal);
        foreach (var entry in report.Entries)
        {
            if (
                entry.Work is not { } work
                || !seen.Add(work.Key)
                || !await lookup.IsMissingAsync(work, entry.RunningTarget > 0, cancellationToken)
            )
                continue;
            if (rules.Current != current)
                return null;
            var result = new EnqueueResult(EnqueueOutcome.Dropped, null);
            foreach (var origin in BackfillPlan.OriginsOf(entry))
                result = queue.TryEnqueue(work, origin);
            if (result.Outcome == EnqueueOutcome.Closed)
                break;
            if (result.Job is not { } job)
                continue;
            queued++;
            while (!job.Completion.IsCompleted && job.Failures == 0 && !queue.IsClosed && rules.Current == current)
                await Task.WhenAny(job.Completion, Task.Delay(PollInterval, time, cancellationToken));
            cancellationToken.ThrowIfCancellationRequested();
        }
        return queued;
    }

    private static partial class Log
    {
        [LoggerMessage(
            1,
            LogLevel.Information,
            "Checked workloads: {Workloads}, Pods: {Pods}, their images: {Images}; missing downstream and queued: {Queued}"
        )]
        public static partial void Done(ILogger logger, int workloads, int pods, int images, int queued);

        [LoggerMessage(2, LogLevel.Warning, "Cannot check the Pod templates of the cluster: {Fault}")]
        public static partial void Failed(ILogger logger, string fault);

        [LoggerMessage(3, LogLevel.Information, "Some Pod templates of the cluster are not checked: {Problem}")]
        public static partial void Unreadable(ILogger logger, string problem);

        [LoggerMessage(4, LogLevel.Information, "Pod templates of the cluster are checked with an assumption: {Assumption}")]
        public static partial void Assumed(ILogger logger, string assumption);
    }
}
