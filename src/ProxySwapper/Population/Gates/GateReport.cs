using ProxySwapper.Kubernetes;
using ProxySwapper.Population.Cluster;

namespace ProxySwapper.Population.Gates;

/// <summary>Reports how gated Pods were released: in metrics, Events of the Pods, and the log.</summary>
internal sealed partial class GateReport(GateMetrics metrics, FailureEvents events, ILogger<GateReport> logger)
{
    /// <summary>Exports how many Pods are gated.</summary>
    public void Observe(GatedPods pods) => metrics.Observe(() => pods.Count, () => pods.OverdueCount);

    /// <summary>A Pod no longer waits.</summary>
    /// <param name="pod">The Pod.</param>
    /// <param name="waited">How long it waited.</param>
    /// <param name="plan">What was to be done with its images.</param>
    /// <param name="outcome">What was done.</param>
    public void Ended(GatedPod pod, TimeSpan waited, ReleasePlan plan, ReleaseOutcome outcome)
    {
        var restored = outcome.Restored.Count;
        metrics.Ended(outcome.Result, waited, restored);
        switch (outcome.Result)
        {
            case GateResult.Restored or GateResult.Kept:
                Log.Failed(logger, pod.ToString(), waited.TotalSeconds, restored, plan.Reason!);
                events.ReportReleased(new EventSubject("v1", "Pod", pod.Namespace, pod.Name, pod.Uid), restored, plan.Reason!);
                break;
            case GateResult.Released:
                Log.Released(logger, pod.ToString(), waited.TotalSeconds);
                break;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "Released Pod {Pod} after {Seconds:0.0} s: its images are downstream")]
        public static partial void Released(ILogger logger, string pod, double seconds);

        [LoggerMessage(
            2,
            LogLevel.Warning,
            "Released Pod {Pod} after {Seconds:0.0} s without all its images downstream (originals restored: {Restored}): {Reason}"
        )]
        public static partial void Failed(ILogger logger, string pod, double seconds, int restored, string reason);
    }
}
