namespace ProxySwapper.Admission;

/// <summary>What is done so that rewritten images exist downstream.</summary>
internal interface IAdmissionObserver
{
    /// <summary>
    /// True when a configuration has something to be awaited before the answer (<c>swapPolicy: exists</c>, <c>populate.policy:
    /// immediate</c>).
    /// </summary>
    bool DelaysResponse { get; }

    /// <summary>Awaits what the policies want, well within the webhook's time limit; may take decisions back. Never throws.</summary>
    ValueTask<PodDecision> BeforeResponseAsync(AdmittedPod pod, PodDecision decision, CancellationToken cancellationToken);

    /// <summary>
    /// Adds to a decision what makes population find the Pod, and what makes the Pod wait. At once, asking nobody; never throws.
    /// </summary>
    PodDecision Mark(AdmissionReview review, AdmittedPod pod, PodDecision decision);

    /// <summary>Takes note of an admitted Pod, at once and without waiting. Not called for dry runs.</summary>
    void AfterResponse(AdmittedPod pod);
}

/// <summary>Population is switched off.</summary>
internal sealed class NoAdmissionObserver : IAdmissionObserver
{
    public bool DelaysResponse => false;

    public ValueTask<PodDecision> BeforeResponseAsync(AdmittedPod pod, PodDecision decision, CancellationToken cancellationToken) =>
        new(decision);

    public PodDecision Mark(AdmissionReview review, AdmittedPod pod, PodDecision decision) => decision;

    public void AfterResponse(AdmittedPod pod) { }
}
