using System.Text.Json;
using ProxySwapper.Admission;
using ProxySwapper.Kubernetes;

namespace ProxySwapper.Reporting;

/// <summary>
/// In which namespaces the webhook applies: by the namespace selector of its configuration if the caller may read that, else by the chart's
/// defaults.
/// </summary>
internal sealed class WebhookScope
{
    private const string NameLabel = "kubernetes.io/metadata.name";

    private readonly HashSet<string> _excluded;

    private WebhookScope(HashSet<string> excluded) => _excluded = excluded;

    /// <summary>Everything is in scope: for manifests, which are not in a cluster.</summary>
    public static WebhookScope Everything { get; } = new([]);

    public bool IsExcluded(string @namespace) => _excluded.Contains(@namespace);

    /// <param name="client">The API server.</param>
    /// <param name="webhookName">The MutatingWebhookConfiguration.</param>
    /// <param name="problems">Receives what could not be read.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    public static async Task<WebhookScope> ReadAsync(
        KubernetesClient client,
        string webhookName,
        List<string> problems,
        CancellationToken cancellationToken
    )
    {
        var selectors = await ReadSelectorsAsync(client, webhookName, problems, cancellationToken);
        var excluded = new HashSet<string>(["kube-system"], StringComparer.Ordinal);
        try
        {
            var lister = new ResourceLister(client);
            await foreach (
                var (name, isExcluded) in lister.ListAsync(
                    new ResourceQuery(new ResourceType("v1", "namespaces")),
                    item => Judge(item, selectors),
                    cancellationToken
                )
            )
                if (isExcluded)
                    excluded.Add(name);
        }
        catch (KubernetesException problem)
        {
            problems.Add($"Namespaces excluded from the webhook are unknown: {problem.Message}");
        }
        return new WebhookScope(excluded);
    }

    private static async Task<IReadOnlyList<LabelSelector>?> ReadSelectorsAsync(
        KubernetesClient client,
        string webhookName,
        List<string> problems,
        CancellationToken cancellationToken
    )
    {
        try
        {
            var path = ResourceType.MutatingWebhookConfigurations.ObjectPath(null, webhookName);
            if (await client.GetAsync(path, cancellationToken) is not { } found)
            {
                problems.Add($"MutatingWebhookConfiguration '{webhookName}' not found: no webhook currently rewrites Pods.");
                return null;
            }
            using var document = JsonDocument.Parse(found.ToJsonString());
            var selectors = new List<LabelSelector>();
            foreach (var webhook in TemplateReader.Items(document.RootElement, "webhooks"))
                selectors.Add(LabelSelector.Read(TemplateReader.Member(webhook, "namespaceSelector")));
            return selectors;
        }
        catch (KubernetesException)
        {
            // Most callers may not read it, and the chart's exclusions are known anyway.
            return null;
        }
    }

    private static (string Name, bool IsExcluded) Judge(JsonElement item, IReadOnlyList<LabelSelector>? selectors)
    {
        var name = TemplateReader.Text(TemplateReader.Member(item, "metadata"), "name") ?? "";
        // An API server before 1.21 does not set the name label itself.
        var labels = new Dictionary<string, string>(LabelSelector.LabelsOf(item), StringComparer.Ordinal);
        labels.TryAdd(NameLabel, name);
        var isOptedOut = labels.TryGetValue(WellKnownLabels.OptOutLabel, out var ignore) && ignore == "true";
        return (name, selectors is null ? isOptedOut : !selectors.Any(selector => selector.IsMatch(labels)));
    }
}
