using System.Diagnostics;
using ProxySwapper.Rules;

namespace ProxySwapper.Admission;

/// <summary>What is kept of requests to the webhook: metrics, the log, the span of a review, and the images of <c>dryRun</c>.</summary>
internal sealed class AdmissionTelemetry(AdmissionMetrics metrics, AdmissionLog log, DryRunImages dryRuns, TimeProvider time)
{
    /// <summary>When a request was complete, for <see cref="Responded"/>.</summary>
    public long Start() => time.GetTimestamp();

    /// <summary>A request that is not a review.</summary>
    public void Rejected(int status, string reason)
    {
        metrics.Rejected(status);
        log.Rejected(status, reason);
    }

    /// <summary>A review with its response written.</summary>
    public void Responded(AdmissionReview review, PodDecision decision, RuleSet rules, long started, Activity? activity)
    {
        metrics.Responded(decision, rules, time.GetElapsedTime(started));
        AdmissionLog.Describe(activity, review, decision);
        log.Responded(review, decision);
        if (decision.Outcome == AdmissionOutcome.DryRun)
            dryRuns.Add(review, decision);
    }
}
