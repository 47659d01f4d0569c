using System.Diagnostics.Metrics;
using ProxySwapper.Population.Cluster;
using ProxySwapper.Rules;

namespace ProxySwapper.Population;

/// <summary>
/// Counts the Pods that the admission policy rewrote. The API server reports nothing about them, so they are counted as the watch shows
/// them: Pods with the patch label and an annotation with an original image that the rules rewrite to the Pod's image. Pods that only a
/// list shows are not counted: they may have been counted before.
/// </summary>
internal sealed class PolicyMetrics(IMeterFactory meters, ConfigurationMonitor rules)
{
    private readonly Counter<long> _pods = meters
        .Create("ProxySwapper")
        .CreateCounter<long>(
            "proxyswapper_admission_policy_pods_total",
            unit: null,
            description: "Pods rewritten by the admission policy; each replica counts all of them.",
            tags: []
        );

    /// <summary>A new Pod with the patch label.</summary>
    public void Created(ListedPod pod)
    {
        var current = rules.Current;
        if (current.Options.AdmissionPolicy.Name is null)
            return;
        foreach (var (final, original, _) in pod.Images)
            if (original is not null && ListedPod.DecisionOf(final, original, pod.Origin.Namespace, current).IsRewritten)
            {
                _pods.Add(1);
                return;
            }
    }
}
