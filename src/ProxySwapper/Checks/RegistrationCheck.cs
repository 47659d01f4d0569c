using System.Text.Json;
using System.Text.Json.Nodes;
using ProxySwapper.Kubernetes;
using ProxySwapper.Reporting;

namespace ProxySwapper.Checks;

/// <summary>Looks for why an API server does not ask a webhook about the Pods of a namespace.</summary>
internal static class RegistrationCheck
{
    /// <summary>What is wrong, in words; what may be wrong where nothing is found.</summary>
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
                return $"there is no MutatingWebhookConfiguration {name}: webhook.registered is false, or somebody removed it "
                    + "(proxyswapper disable, kubectl delete); helm upgrade and proxyswapper enable bring it back";
            var webhooks = found["webhooks"] as JsonArray ?? [];
            if (webhooks.Any(webhook => string.IsNullOrEmpty((string?)webhook?["clientConfig"]?["caBundle"])))
                return $"MutatingWebhookConfiguration {name} has no caBundle, so that the API server trusts no certificate of ours: "
                    + "the program or cert-manager's cainjector has not put it there yet, or may not; see their logs";
            if (!await IsSelectedAsync(client, webhooks, @namespace, cancellationToken))
                return $"the namespaceSelector of MutatingWebhookConfiguration {name} passes over namespace {@namespace}: "
                    + "the release's own namespace, kube-system, webhook.excludedNamespaces and namespaces that opt out are never swapped; "
                    + "choose another one for the check (test.namespace)";
        }
        catch (KubernetesException problem)
        {
            return $"why cannot be looked up: {problem.Message}";
        }
        return "the API server is told of the webhook, and does not reach it or does not trust it: its log says which (failed calling "
            + "webhook); often a firewall or NetworkPolicy between the control plane and the webhook's port, a network where the API "
            + "server does not reach Pods (hostNetwork), or a caBundle that has not signed the certificate in use";
    }

    private static async Task<bool> IsSelectedAsync(
        KubernetesClient client,
        JsonArray webhooks,
        string @namespace,
        CancellationToken cancellationToken
    )
    {
        if (await client.GetAsync($"/api/v1/namespaces/{Uri.EscapeDataString(@namespace)}", cancellationToken) is not { } found)
            return true;
        using var document = JsonDocument.Parse(found.ToJsonString());
        var labels = LabelSelector.LabelsOf(document.RootElement);
        using var list = JsonDocument.Parse(webhooks.ToJsonString());
        return list
            .RootElement.EnumerateArray()
            .Any(webhook => LabelSelector.Read(TemplateReader.Member(webhook, "namespaceSelector")).IsMatch(labels));
    }
}
