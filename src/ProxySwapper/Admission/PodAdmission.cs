using System.Diagnostics;

namespace ProxySwapper.Admission;

/// <summary>
/// A review with what population has to do with it: (1) <see cref="Decide"/>, (2) <see cref="BeforeResponseAsync"/> if the response has to
/// wait, (3) <see cref="Complete"/>, and once the response is written (4) <see cref="AfterResponse"/>.
/// </summary>
internal sealed class PodAdmission(IAdmissionObserver population)
{
    /// <summary>The decision of the rules.</summary>
    public static AdmissionResult Decide(AdmissionReviewer reviewer, AdmissionReview review, ActivityContext activity)
    {
        var decision = reviewer.Decide(review);
        return new(decision, decision.Images.IsEmpty ? null : AdmittedPod.Create(review, decision, reviewer.Rules, activity));
    }

    /// <inheritdoc cref="IAdmissionObserver.DelaysResponse"/>
    public bool DelaysResponse(in AdmissionResult result) => result.Pod is { } pod && population.DelaysResponse(pod);

    /// <inheritdoc cref="IAdmissionObserver.BeforeResponseAsync"/>
    public ValueTask<PodDecision> BeforeResponseAsync(in AdmissionResult result, CancellationToken cancellationToken) =>
        result.Pod is { } pod ? population.BeforeResponseAsync(pod, result.Decision, cancellationToken) : new(result.Decision);

    /// <summary>The result to respond with: marked for population, and without effect in a dry run.</summary>
    public AdmissionResult Complete(AdmissionReviewer reviewer, AdmissionReview review, in AdmissionResult result)
    {
        var marked = result.Pod is { } pod ? result.With(population.Mark(review, pod, result.Decision)) : result;
        return marked with { Decision = reviewer.Settle(marked.Decision) };
    }

    /// <inheritdoc cref="IAdmissionObserver.AfterResponse"/>
    public void AfterResponse(in AdmissionResult result)
    {
        if (result.Pod is { IsDryRun: false } pod)
            population.AfterResponse(pod);
    }
}

/// <summary>The decision on a review so far.</summary>
/// <param name="Decision">The decision.</param>
/// <param name="Pod">The Pod as population sees it, or null if it has no image that may be changed.</param>
internal readonly record struct AdmissionResult(PodDecision Decision, AdmittedPod? Pod)
{
    /// <summary>Another decision on the same review.</summary>
    public AdmissionResult With(PodDecision decision) => new(decision, Pod is { } pod ? pod with { Images = decision.Images } : null);
}
