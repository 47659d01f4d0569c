using System.Diagnostics;
using ProxySwapper.Rules;

namespace ProxySwapper.Admission;

/// <summary>Logs and traces of a review.</summary>
internal sealed partial class AdmissionLog(ILogger<AdmissionLog> logger)
{
    /// <summary>Limits the warnings logged per Pod, so that one Pod cannot fill the log.</summary>
    private const int MaximumWarnings = 10;

    private static readonly ActivitySource Activities = new("ProxySwapper");

    /// <summary>A child of the API server's span, if it traces; null without a listener.</summary>
    public static Activity? StartActivity(IHeaderDictionary headers)
    {
        if (!Activities.HasListeners())
            return null;
        _ = ActivityContext.TryParse(headers.TraceParent, headers.TraceState, isRemote: true, out var parent);
        return Activities.StartActivity("admission", ActivityKind.Server, parent);
    }

    public static void Describe(Activity? activity, AdmissionReview review, PodDecision decision)
    {
        if (activity is null)
            return;
        activity.SetTag("k8s.namespace.name", review.Namespace);
        activity.SetTag("k8s.pod.name", review.PodName);
        activity.SetTag("proxyswapper.result", decision.Outcome.ToString());
        activity.SetTag("proxyswapper.images", decision.Images.Select(image => image.Decision.Image).ToArray());
        activity.SetTag("proxyswapper.targets", decision.Images.Select(image => image.Decision.Target?.ToString() ?? "").ToArray());
    }

    public void Responded(AdmissionReview review, PodDecision decision)
    {
        var isDebug = logger.IsEnabled(LogLevel.Debug);
        var warnings = 0;
        foreach (var (_, image) in decision.Images)
        {
            if (image.Warning is { } warning && ++warnings <= MaximumWarnings)
                Log.Warned(logger, review.Namespace, warning);
            if (isDebug)
                Log.Decided(logger, review.Uid, review.Namespace, image.Image, image.Target?.ToString(), image.Reason, image.Rule);
        }
        if (warnings > MaximumWarnings)
            Log.MoreWarnings(logger, review.Namespace, warnings - MaximumWarnings);
        if (isDebug && decision.Outcome == AdmissionOutcome.Patched)
            Log.Patched(logger, review.Namespace, review.PodName, decision.Images.Count(image => image.Decision.IsRewritten));
    }

    public void Rejected(int status, string reason) => Log.Rejected(logger, status, reason);

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Debug, "Pod {PodNamespace}/{Pod}: images rewritten: {Count}")]
        public static partial void Patched(ILogger logger, string podNamespace, string pod, int count);

        [LoggerMessage(2, LogLevel.Debug, "Review {Uid} in {PodNamespace}: {Image} -> {Target} ({Reason}, {Rule})")]
        public static partial void Decided(
            ILogger logger,
            string uid,
            string podNamespace,
            string image,
            string? target,
            DecisionReason reason,
            string? rule
        );

        [LoggerMessage(3, LogLevel.Warning, "In {PodNamespace}: {Warning}")]
        public static partial void Warned(ILogger logger, string podNamespace, string warning);

        [LoggerMessage(5, LogLevel.Warning, "In {PodNamespace}: further warnings for the same Pod: {Count}")]
        public static partial void MoreWarnings(ILogger logger, string podNamespace, int count);

        [LoggerMessage(4, LogLevel.Warning, "Request rejected with {Status}: {Reason}")]
        public static partial void Rejected(ILogger logger, int status, string reason);
    }
}
