using ProxySwapper.Population.Downstream;
using ProxySwapper.Population.Queue;
using ProxySwapper.Population.Work;

namespace ProxySwapper.Population;

/// <summary>Queues the work for Pods that the API server has shown, and reports what the queue rejects.</summary>
internal sealed partial class PodEnqueuer(
    PopulationQueue queue,
    DownstreamHealth health,
    PopulationMetrics metrics,
    ILogger<PodEnqueuer> logger
)
{
    /// <param name="work">What to do.</param>
    /// <param name="origin">For which Pod.</param>
    /// <param name="mayHaveMoved">Whether a known tag is looked at again.</param>
    /// <param name="isSilent">Whether a rejection was logged and counted already.</param>
    public EnqueueResult TryEnqueue(PopulationWork work, PodOrigin origin, bool mayHaveMoved, bool isSilent = false)
    {
        if (work is CopyWork)
            health.Watch(work.Target.Registry, work.Target.Repository);
        var result = queue.TryEnqueue(work, origin, mayHaveMoved);
        if (result.Displaced is { } displaced)
        {
            metrics.Dropped();
            Log.Displaced(logger, displaced.Work.Key, displaced.Owner, origin.Namespace);
        }
        switch (result.Outcome)
        {
            case EnqueueOutcome.Dropped when !isSilent:
                metrics.Dropped();
                Log.Dropped(logger, work.Key, origin.Namespace, origin.Name);
                break;
            case EnqueueOutcome.Closed when !isSilent:
                Log.TooLate(logger, work.Key, origin.Namespace, origin.Name);
                break;
        }
        return result;
    }

    private static partial class Log
    {
        [LoggerMessage(
            1,
            LogLevel.Warning,
            "{Target} of Pod {PodNamespace}/{Pod} is not copied: the queue is full; the next Pod with this image retries"
        )]
        public static partial void Dropped(ILogger logger, string target, string podNamespace, string? pod);

        [LoggerMessage(
            2,
            LogLevel.Warning,
            "{Target} of Pod {PodNamespace}/{Pod} is not copied: shutting down; reconciliation copies it after the next start"
        )]
        public static partial void TooLate(ILogger logger, string target, string podNamespace, string? pod);

        [LoggerMessage(
            3,
            LogLevel.Warning,
            "{Target} of namespace {Owner} is removed from the full queue: namespace {PodNamespace} has fewer images in it"
        )]
        public static partial void Displaced(ILogger logger, string target, string owner, string podNamespace);
    }
}
