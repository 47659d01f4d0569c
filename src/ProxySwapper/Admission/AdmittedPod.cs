using System.Collections.Immutable;
using System.Diagnostics;

namespace ProxySwapper.Admission;

/// <summary>A Pod as population sees it: whose images, and with which secrets they may be read.</summary>
internal readonly record struct AdmittedPod
{
    public required string Namespace { get; init; }

    /// <summary>The Pod's name, or what its name will begin with.</summary>
    public required string Name { get; init; }
    public required string ServiceAccountName { get; init; }
    public required IReadOnlyList<string> PullSecrets { get; init; }
    public required ImmutableArray<PodImageDecision> Images { get; init; }

    /// <summary>A request that must have no side effect.</summary>
    public required bool IsDryRun { get; init; }

    /// <summary>The admission's span, which the spans of the copies that it causes are linked to.</summary>
    public ActivityContext Activity { get; init; }

    public static AdmittedPod Create(AdmissionReview review, PodDecision decision, ActivityContext activity)
    {
        var pod = review.Object!;
        return new AdmittedPod
        {
            Namespace = review.Namespace,
            Name = review.PodName,
            ServiceAccountName = pod.ServiceAccountName.Length > 0 ? pod.ServiceAccountName : "default",
            PullSecrets = pod.PullSecrets,
            Images = decision.Images,
            IsDryRun = review.IsDryRun,
            Activity = activity,
        };
    }
}
