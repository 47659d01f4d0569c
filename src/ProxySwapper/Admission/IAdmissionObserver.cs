namespace ProxySwapper.Admission;

/// <summary>Makes sure that rewritten images exist downstream. Population, which is in a higher layer, implements it.</summary>
internal interface IAdmissionObserver
{
    /// <summary>
    /// True when the configuration requires waiting before the response (<c>swapPolicy: exists</c>, <c>populate.policy: immediate</c>).
    /// </summary>
    bool DelaysResponse(AdmittedPod pod);

    /// <summary>Awaits what the policies require, well within the webhook's timeout; may revert decisions. Never throws.</summary>
    ValueTask<PodDecision> BeforeResponseAsync(AdmittedPod pod, PodDecision decision, CancellationToken cancellationToken);

    /// <summary>
    /// Adds to a decision the labels by which population finds the Pod, and the gate that makes it wait. Does no I/O and never throws.
    /// </summary>
    PodDecision Mark(AdmissionReview review, AdmittedPod pod, PodDecision decision);

    /// <summary>Records an admitted Pod without waiting. Not called for dry runs.</summary>
    void AfterResponse(AdmittedPod pod);
}
