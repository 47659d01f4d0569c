using System.Collections.Immutable;
using System.Diagnostics;
using ProxySwapper.Rules;

namespace ProxySwapper.Admission;

/// <summary>A Pod as population sees it: its images and the pull secrets that may be used for them.</summary>
internal readonly record struct AdmittedPod
{
    public required string Namespace { get; init; }

    /// <summary>The Pod's name, or its <c>generateName</c>.</summary>
    public required string Name { get; init; }
    public required string ServiceAccountName { get; init; }
    public required IReadOnlyList<string> PullSecrets { get; init; }
    public required ImmutableArray<PodImageDecision> Images { get; init; }

    /// <summary>The rules that decided about the images: what follows of the review goes by the same snapshot.</summary>
    public required RuleSet Rules { get; init; }

    /// <summary>How many characters its review keeps in memory.</summary>
    public long TextLength { get; init; }

    /// <summary>A dry run, which must not have side effects.</summary>
    public required bool IsDryRun { get; init; }

    /// <summary>The admission's span, to which the spans of the resulting copies are linked.</summary>
    public ActivityContext Activity { get; init; }

    public static AdmittedPod Create(AdmissionReview review, PodDecision decision, RuleSet rules, ActivityContext activity)
    {
        var pod = review.Object!;
        return new AdmittedPod
        {
            Namespace = review.Namespace,
            Name = review.PodName,
            ServiceAccountName = pod.ServiceAccountName.Length > 0 ? pod.ServiceAccountName : "default",
            PullSecrets = pod.PullSecrets,
            Images = decision.Images,
            Rules = rules,
            TextLength = review.TextLength,
            IsDryRun = review.IsDryRun,
            Activity = activity,
        };
    }
}
