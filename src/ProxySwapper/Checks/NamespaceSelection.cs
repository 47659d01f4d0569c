using System.Text.Json;
using System.Text.Json.Nodes;
using ProxySwapper.Kubernetes;
using ProxySwapper.Reporting;

namespace ProxySwapper.Checks;

/// <summary>Whether the namespaceSelector of a registration includes a namespace.</summary>
internal static class NamespaceSelection
{
    /// <summary>Whether any of the selectors includes the namespace, as far as it can be read.</summary>
    /// <param name="client">The API server.</param>
    /// <param name="selecting">Objects with a <c>namespaceSelector</c>: webhooks, or the matchResources of a binding.</param>
    /// <param name="namespace">The namespace.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task<bool> IncludesAsync(
        KubernetesClient client,
        JsonArray selecting,
        string @namespace,
        CancellationToken cancellationToken
    )
    {
        if (await client.GetAsync($"/api/v1/namespaces/{Uri.EscapeDataString(@namespace)}", cancellationToken) is not { } found)
            return true;
        using var document = JsonDocument.Parse(found.ToJsonString());
        var labels = LabelSelector.LabelsOf(document.RootElement);
        using var list = JsonDocument.Parse(selecting.ToJsonString());
        return list.RootElement.EnumerateArray().Any(item => LabelSelector.Read(item.Member("namespaceSelector")).IsMatch(labels));
    }

    /// <summary>What to say if it does not.</summary>
    public static string Excluded(string registration, string @namespace) =>
        $"the namespaceSelector of {registration} excludes namespace {@namespace}: "
        + "the release's own namespace, kube-system, webhook.excludedNamespaces and namespaces that opt out are never swapped; "
        + "use another one for the check (test.namespace)";
}
