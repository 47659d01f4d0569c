using System.Text.Json.Nodes;
using ProxySwapper.Kubernetes;

namespace ProxySwapper.Checks;

/// <summary>Finds out why an API server does not call the webhook for the Pods of a namespace.</summary>
internal static class RegistrationCheck
{
    /// <summary>Returns what is wrong, or the likely causes if nothing is found.</summary>
    /// <param name="client">The API server.</param>
    /// <param name="name">The MutatingWebhookConfiguration.</param>
    /// <param name="namespace">The namespace.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task<string> ReasonAsync(
        KubernetesClient client,
        string name,
        string @namespace,
        CancellationToken cancellationToken
    )
    {
        try
        {
            var path = ResourceType.MutatingWebhookConfigurations.ObjectPath(null, name);
            if (await client.GetAsync(path, cancellationToken) is not { } found)
                return $"MutatingWebhookConfiguration {name} not found: webhook.registered is false, or it was removed "
                    + "(proxyswapper disable, kubectl delete); helm upgrade or proxyswapper enable restores it";
            var webhooks = found["webhooks"] as JsonArray ?? [];
            if (webhooks.Any(webhook => webhook.Text("clientConfig", "caBundle") is null))
                return $"MutatingWebhookConfiguration {name} has no caBundle, so the API server does not trust our certificate: "
                    + "the program or cert-manager's cainjector has not set it yet, or has no permission to; see their logs";
            if (!await NamespaceSelection.IncludesAsync(client, webhooks, @namespace, cancellationToken))
                return NamespaceSelection.Excluded($"MutatingWebhookConfiguration {name}", @namespace);
        }
        catch (KubernetesException problem)
        {
            return $"cannot determine the cause: {problem.Message}";
        }
        return "the webhook is registered, but the API server cannot reach it or does not trust it; see its log (failed calling "
            + "webhook). Common causes: a firewall or NetworkPolicy between the control plane and the webhook's port, a network where the "
            + "API server cannot reach Pods (hostNetwork), or a caBundle that did not sign the current certificate";
    }
}
