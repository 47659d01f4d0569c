using System.Text.Json;
using System.Text.Json.Nodes;
using ProxySwapper.Kubernetes;

namespace ProxySwapper.Reporting;

/// <summary>
/// Finds the kinds of a cluster that contain Pod templates: Kubernetes' own by name, and every custom kind that can be listed, since only
/// its objects show whether they have <c>spec.template.spec.containers</c>
/// (<see href="https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api">Discovery API</see>).
/// </summary>
internal sealed class TemplateDiscovery(KubernetesClient client, ReportProblems problems)
{
    private const string CorePath = "/api/v1";

    private static readonly string[] Template = ["spec", "template"];

    /// <summary>The built-in kinds by group and plural name.</summary>
    private static readonly Dictionary<(string Group, string Plural), string[]> BuiltIn = new()
    {
        [("", "replicationcontrollers")] = Template,
        [("apps", "deployments")] = Template,
        [("apps", "statefulsets")] = Template,
        [("apps", "daemonsets")] = Template,
        [("apps", "replicasets")] = Template,
        [("batch", "jobs")] = Template,
        [("batch", "cronjobs")] = ["spec", "jobTemplate", "spec", "template"],
    };

    public async Task<IReadOnlyList<DiscoveredTemplate>> FindAsync(CancellationToken cancellationToken)
    {
        var found = new Dictionary<(string Group, string Plural), DiscoveredTemplate>();
        await ReadVersionAsync("", "v1", found, cancellationToken);
        var groups = await GetAsync("/apis", cancellationToken);
        foreach (var group in Objects(groups, "groups"))
        {
            if (group.Text("name") is not { } name || IsWithoutTemplates(name))
                continue;
            // The preferred version first; older ones for what it lacks (batch/v1 had no CronJobs before 1.21).
            var preferred = group.Text("preferredVersion", "groupVersion");
            var versions = Objects(group, "versions").Select(version => version.Text("groupVersion")).OfType<string>();
            foreach (var version in versions.OrderByDescending(version => version == preferred))
                await ReadVersionAsync(name, version, found, cancellationToken);
        }
        return [.. found.Values];
    }

    /// <summary>Kubernetes' other groups; its extensions with templates end in <c>.x-k8s.io</c>.</summary>
    private static bool IsWithoutTemplates(string group) =>
        group is "extensions" or "autoscaling" or "policy" || group.EndsWith(".k8s.io", StringComparison.Ordinal);

    private async Task ReadVersionAsync(
        string group,
        string version,
        Dictionary<(string Group, string Plural), DiscoveredTemplate> found,
        CancellationToken cancellationToken
    )
    {
        var isCustom = group is not ("" or "apps" or "batch");
        var list = await GetAsync(group.Length == 0 ? CorePath : $"/apis/{version}", cancellationToken);
        foreach (var resource in Objects(list, "resources"))
        {
            if (resource.Text("name") is not { } plural || plural.Contains('/', StringComparison.Ordinal))
                continue;
            if (resource["verbs"] is not JsonArray verbs || !verbs.Any(verb => verb.Text() == "list"))
                continue;
            var path = isCustom ? Template : BuiltIn.GetValueOrDefault((group, plural));
            if (path is not null)
                found.TryAdd(
                    (group, plural),
                    new DiscoveredTemplate(new ResourceType(version, plural), resource.Text("kind") ?? plural, path, isCustom)
                    {
                        IsNamespaced = resource.IsTrue("namespaced"),
                    }
                );
        }
    }

    private static IEnumerable<JsonObject> Objects(JsonObject? parent, string name) =>
        (parent?[name] as JsonArray ?? []).OfType<JsonObject>();

    private async Task<JsonObject?> GetAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            return await client.GetAsync(path, cancellationToken);
        }
        catch (Exception problem) when (problem is KubernetesException or JsonException)
        {
            // Without an API server there is nothing to report; an aggregated API that is down must not hide the rest.
            if (problem is KubernetesException { Status: null } && path == CorePath)
                throw;
            problems.AddUnseen($"Cannot list the kinds of {path}: {problem.Message}");
            return null;
        }
    }
}

/// <summary>A kind of object that may contain a Pod template.</summary>
/// <param name="Type">How it is listed.</param>
/// <param name="Kind">Such as <c>Deployment</c>.</param>
/// <param name="Path">Where the template is.</param>
/// <param name="IsCustom">True if only some of its objects, or none, may have one.</param>
internal sealed record DiscoveredTemplate(ResourceType Type, string Kind, IReadOnlyList<string> Path, bool IsCustom)
{
    /// <summary>False if its objects are in no namespace.</summary>
    public bool IsNamespaced { get; init; } = true;
}
