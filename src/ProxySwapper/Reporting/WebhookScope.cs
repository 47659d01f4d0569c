using System.Text.Json;
using System.Text.Json.Nodes;
using ProxySwapper.Admission;
using ProxySwapper.Configuration;
using ProxySwapper.Kubernetes;
using ProxySwapper.Rules;
using ProxySwapper.Switching;

namespace ProxySwapper.Reporting;

/// <summary>
/// For which Pods the webhook, or the admission policy, applies: by the selectors of its registration if the caller may read that, else by
/// the chart's defaults.
/// </summary>
internal sealed class WebhookScope
{
    private const string NameLabel = "kubernetes.io/metadata.name";
    private const string KubeSystem = "kube-system";

    /// <summary>A match condition of the chart, which does not affect Pods in reports.</summary>
    private const string GateCondition = "gate-is-not-lifted";

    private static readonly LabelSelector[] AllPods = [LabelSelector.Any];

    private readonly Dictionary<string, IReadOnlyDictionary<string, string>> _namespaces = new(StringComparer.Ordinal);
    private readonly Dictionary<string, LabelSelector[]> _podsOf = new(StringComparer.Ordinal);
    private IReadOnlyList<(LabelSelector Namespaces, LabelSelector Pods)>? _registered;

    private WebhookScope() { }

    /// <summary>False if the registration does not exist, so that nothing rewrites Pods now; true if it may not be read.</summary>
    public bool IsRegistered { get; private init; } = true;

    /// <summary>Why no Pod with these labels is rewritten in a namespace, or null if it is.</summary>
    public DecisionReason? ReasonToIgnore(string @namespace, IReadOnlyDictionary<string, string> labels)
    {
        if (!_podsOf.TryGetValue(@namespace, out var selectors))
            _podsOf[@namespace] = selectors = PodsOf(@namespace);
        return selectors.Length == 0 ? DecisionReason.IgnoredNamespace
            : selectors.Any(selector => selector.IsMatch(labels)) ? null
            : DecisionReason.NotSelected;
    }

    /// <param name="client">The API server.</param>
    /// <param name="name">The MutatingWebhookConfiguration, if no admission policy is configured.</param>
    /// <param name="policy">The admission policy, whose binding has its name.</param>
    /// <param name="onlyNamespace">The only namespace of interest, or null for all.</param>
    /// <param name="problems">Receives what could not be read, and what is assumed in its place.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    public static async Task<WebhookScope> ReadAsync(
        KubernetesClient client,
        string name,
        AdmissionPolicyOptions policy,
        string? onlyNamespace,
        ReportProblems problems,
        CancellationToken cancellationToken
    )
    {
        var (selectors, isRegistered) = await ReadRegistrationAsync(client, policy.Name ?? name, problems, cancellationToken);
        var scope = new WebhookScope { _registered = selectors, IsRegistered = isRegistered };
        AddConditions(policy, problems);
        try
        {
            if (onlyNamespace is not null)
                await scope.ReadNamespaceAsync(client, onlyNamespace, problems, cancellationToken);
            else
                await foreach (
                    var (found, labels) in new ResourceLister(client).ListAsync(
                        new ResourceQuery(Namespaces),
                        item => (NameOf(item), LabelSelector.LabelsOf(item)),
                        cancellationToken
                    )
                )
                    scope._namespaces[found] = labels;
        }
        catch (KubernetesException problem)
        {
            problems.Add($"Namespaces excluded from the webhook are unknown: {problem.Message}");
        }
        return scope;
    }

    /// <summary>
    /// The scope according to manifests: by the registration and the namespaces among them, else by the chart's defaults, which is then an
    /// assumption.
    /// </summary>
    /// <param name="objects">The namespaces, webhook configurations and policy bindings among the manifests.</param>
    /// <param name="webhook">The webhook's configuration, if no admission policy is configured.</param>
    /// <param name="policy">The admission policy, whose binding has its name.</param>
    /// <param name="problems">Receives what is not evaluated, and what is assumed.</param>
    public static WebhookScope OfManifests(
        IReadOnlyList<JsonObject> objects,
        string webhook,
        AdmissionPolicyOptions policy,
        ReportProblems problems
    )
    {
        var name = policy.Name ?? webhook;
        AddConditions(policy, problems);
        var registration = objects.FirstOrDefault(found =>
            found.Text("metadata", "name") == name && SwitchedKind.All.Any(kind => kind.Kind == found.Text("kind"))
        );
        var scope = new WebhookScope { _registered = registration is null ? null : ReadSelectors(registration, problems) };
        foreach (var found in objects.Where(found => found.Text("kind") == "Namespace"))
            if (found.Text("metadata", "name") is { } @namespace)
            {
                using var document = JsonDocument.Parse(found.ToJsonString());
                scope._namespaces[@namespace] = LabelSelector.LabelsOf(document.RootElement);
            }
        if (registration is null)
            problems.Assume($"Only {KubeSystem} is excluded, as by the chart's defaults; {name} is not in the files.");
        return scope;
    }

    private static ResourceType Namespaces { get; } = new("v1", "namespaces");

    private async Task ReadNamespaceAsync(
        KubernetesClient client,
        string @namespace,
        ReportProblems problems,
        CancellationToken cancellationToken
    )
    {
        if (await client.GetAsync(Namespaces.ObjectPath(null, @namespace), cancellationToken) is not { } found)
        {
            problems.AddUnseen($"Namespace {@namespace} not found.");
            return;
        }
        using var document = JsonDocument.Parse(found.ToJsonString());
        _namespaces[@namespace] = LabelSelector.LabelsOf(document.RootElement);
    }

    /// <returns>The selectors, or null if they are not known; and whether there may be a registration.</returns>
    private static async Task<(IReadOnlyList<(LabelSelector, LabelSelector)>? Selectors, bool IsRegistered)> ReadRegistrationAsync(
        KubernetesClient client,
        string name,
        ReportProblems problems,
        CancellationToken cancellationToken
    )
    {
        KubernetesException? rejection = null;
        foreach (var kind in SwitchedKind.All)
            try
            {
                if (await client.GetAsync(kind.Type.ObjectPath(null, name), cancellationToken) is { } found)
                    return (ReadSelectors(found, problems), true);
            }
            catch (KubernetesException problem)
            {
                // Roles such as view do not include it.
                rejection ??= problem;
            }
        if (rejection is null)
            problems.Add(
                $"Neither MutatingWebhookConfiguration nor MutatingAdmissionPolicyBinding '{name}' was found: "
                    + "nothing currently rewrites Pods."
            );
        else
            problems.Assume(
                $"Only namespace {KubeSystem} and namespaces with the label {WellKnownLabels.OptOutLabel}=true are excluded, as by the "
                    + $"chart's defaults, since the selectors of '{name}' cannot be read: {rejection.Message}"
            );
        return (null, rejection is not null);
    }

    /// <summary>The selectors of each webhook, or of a binding.</summary>
    private static List<(LabelSelector, LabelSelector)> ReadSelectors(JsonObject registration, ReportProblems problems)
    {
        using var document = JsonDocument.Parse(registration.ToJsonString());
        var root = document.RootElement;
        var selectors = new List<(LabelSelector, LabelSelector)>();
        if (root.Member("webhooks").ValueKind != JsonValueKind.Array)
            selectors.Add(SelectorsOf(root.Member("spec", "matchResources")));
        foreach (var webhook in root.Items("webhooks"))
        {
            selectors.Add(SelectorsOf(webhook));
            AddConditions(
                "webhook",
                webhook.Items("matchConditions").Select(condition => condition.Text("name")).OfType<string>(),
                problems
            );
        }
        return selectors;
    }

    private static void AddConditions(AdmissionPolicyOptions policy, ReportProblems problems)
    {
        if (policy.Name is not null)
            AddConditions("policy", policy.MatchConditions.Select(condition => condition.Name), problems);
    }

    private static void AddConditions(string owner, IEnumerable<string> names, ReportProblems problems)
    {
        foreach (var name in names.Where(name => name != GateCondition))
            problems.Add($"Which Pods the {owner}'s match condition {name} leaves out is not evaluated.");
    }

    private static (LabelSelector, LabelSelector) SelectorsOf(JsonElement registration) =>
        (LabelSelector.Read(registration.Member("namespaceSelector")), LabelSelector.Read(registration.Member("objectSelector")));

    private LabelSelector[] PodsOf(string @namespace)
    {
        // An API server before 1.21 does not set the name label itself.
        var labels = new Dictionary<string, string>(_namespaces.GetValueOrDefault(@namespace) ?? LabelSelector.NoLabels);
        labels.TryAdd(NameLabel, @namespace);
        if (_registered is not null)
            return [.. _registered.Where(selectors => selectors.Namespaces.IsMatch(labels)).Select(selectors => selectors.Pods)];
        var isOptedOut = labels.TryGetValue(WellKnownLabels.OptOutLabel, out var ignore) && ignore == "true";
        return isOptedOut || @namespace == KubeSystem ? [] : AllPods;
    }

    private static string NameOf(JsonElement item) => item.TextOrEmpty("metadata", "name");
}
