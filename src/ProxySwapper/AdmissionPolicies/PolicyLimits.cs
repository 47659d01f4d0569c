using ProxySwapper.Configuration;

namespace ProxySwapper.AdmissionPolicies;

/// <summary>Settings that CEL cannot express, since they need a registry or state.</summary>
internal static class PolicyLimits
{
    public static IEnumerable<PolicyRejection> FindRejections(ProxySwapperOptions options, ConfigurationLocations locations)
    {
        if (options.SwapPolicy == SwapPolicy.Exists)
            yield return new(
                "swapPolicy",
                "exists asks the registry about each image, which CEL cannot do; use always, or the webhook",
                "images are rewritten whether they exist downstream or not"
            );
        if (options.Populate.Policy == PopulatePolicy.Immediate)
            yield return new(
                "populate.policy",
                "immediate copies before the Pod is admitted, which CEL cannot do; use delayed or none, or the webhook",
                "Pods do not wait for a copy"
            );
        // If it is only the default, the populator copies without gates.
        if (options.Populate.Policy == PopulatePolicy.Gate && locations.Has("populate.policy"))
            yield return new(
                "populate.policy",
                "gate depends on which images are downstream, which CEL cannot know; use delayed or none, or the webhook",
                "Pods do not wait for a copy"
            );
        if (options.DryRun)
            yield return new(
                "dryRun",
                "a policy has no dry run; remove it, and see what would be rewritten with proxyswapper rewrite or report"
            );
        if (options.ProxyHealth.Fallback == true)
            yield return new(
                "proxyHealth.fallback",
                "true follows the health of the registry, which CEL cannot do; use false, or the webhook",
                "images are rewritten even while the registry is down"
            );
    }
}
