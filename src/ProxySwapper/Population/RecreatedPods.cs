using ProxySwapper.Admission;
using ProxySwapper.Kubernetes;
using ProxySwapper.Patterns;
using ProxySwapper.Population.Cluster;
using ProxySwapper.Rules;

namespace ProxySwapper.Population;

/// <summary>Leaves the images of Pods unchanged that their controller creates again and again, and reports it once.</summary>
internal sealed class RecreatedPods(RecreationGuard guard, KubernetesAccess kubernetes, FailureEvents events)
{
    /// <summary>The decision for a Pod that was created too often with the same images; null for others.</summary>
    public PodDecision? Find(AdmissionReview review, PodDecision decision)
    {
        if (decision.Outcome != AdmissionOutcome.Patched || !guard.Created(review, out var isNew))
            return null;
        if (isNew)
            Report(review);
        return LeftUnchanged(decision);
    }

    private static PodDecision LeftUnchanged(PodDecision decision) =>
        decision with
        {
            Outcome = AdmissionOutcome.RecreatedTooOften,
            Images =
            [
                .. decision.Images.Select(image =>
                    image.Decision.IsRewritten
                        ? image with
                        {
                            Decision = image.Decision with
                            {
                                Target = null,
                                Reason = DecisionReason.RecreatedTooOften,
                                Warning =
                                    $"image '{Truncation.ShortenImage(image.Decision.Image)}' is left unchanged "
                                    + "for an hour: the Pod's controller created this Pod 3 times within 10 minutes",
                            },
                        }
                        : image
                ),
            ],
        };

    /// <summary>Reported in an Event of our own Pod: a forged review must not create Events in other namespaces.</summary>
    private void Report(AdmissionReview review)
    {
        if (kubernetes.Client is not { } client)
            return;
        var controller = review.Object!.Controller!;
        events.Write(
            $"recreated {controller.Uid}",
            new EventSubject("v1", "Pod", client.Namespace, kubernetes.PodName, null),
            "PodRecreatedTooOften",
            $"{controller.Kind} ({controller.ApiVersion}) of namespace {review.Namespace} created Pod {review.PodName} 3 times within "
                + "10 minutes with the same images; its images are left unchanged for an hour. "
                + "Add the kind to ignoreOwners if it does not tolerate changed images."
        );
    }
}
