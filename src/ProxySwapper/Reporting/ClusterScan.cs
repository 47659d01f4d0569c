using System.Text.Json;
using ProxySwapper.Kubernetes;

namespace ProxySwapper.Reporting;

/// <summary>
/// Reads every Pod template and every Pod of a cluster as a stream, so that a large cluster needs little memory. Read-only; whatever the
/// caller has no permission to read becomes a problem in the report.
/// </summary>
internal sealed class ClusterScan(KubernetesClient client, string? onlyNamespace, List<string> problems, Action<string> progress)
{
    private readonly ResourceLister _lister = new(client);

    /// <summary>Reads templates and Pods, and what nodes say about the size of images.</summary>
    public async Task RunAsync(ReportBuilder report, CancellationToken cancellationToken)
    {
        await ReadAsync(report, cancellationToken);
        await ReadSizesAsync(report, cancellationToken);
    }

    /// <summary>Reads templates and Pods.</summary>
    public async Task ReadAsync(ReportBuilder report, CancellationToken cancellationToken)
    {
        foreach (var kind in await new TemplateDiscovery(client, problems).FindAsync(cancellationToken))
            await ReadTemplatesAsync(kind, report, cancellationToken);
        await ReadPodsAsync(report, cancellationToken);
    }

    private async Task ReadTemplatesAsync(DiscoveredTemplate kind, ReportBuilder report, CancellationToken cancellationToken)
    {
        progress($"reading {kind.Type.Plural}");
        var query = new ResourceQuery(kind.Type, onlyNamespace);
        await ForEachAsync(
            query,
            kind.IsCustom,
            item =>
            {
                if (IsMadeOfAnother(kind, item) || TemplateReader.Find(item, [.. kind.Path]) is not { } template)
                    return null;
                var metadata = TemplateReader.Member(item, "metadata");
                var workload = new Workload(
                    kind.Kind,
                    TemplateReader.Text(metadata, "namespace") ?? "",
                    TemplateReader.Text(metadata, "name") ?? ""
                )
                {
                    ApiVersion = kind.Type.GroupVersion,
                    Uid = TemplateReader.Text(metadata, "uid"),
                };
                return TemplateReader.ReadTemplate(template, workload).ToList();
            },
            report.AddTemplate,
            cancellationToken
        );
    }

    private Task ReadPodsAsync(ReportBuilder report, CancellationToken cancellationToken)
    {
        progress("reading pods");
        var query = new ResourceQuery(ResourceType.Pods, onlyNamespace) { FieldSelector = "status.phase!=Succeeded,status.phase!=Failed" };
        return ForEachAsync(
            query,
            isOptional: false,
            pod => TemplateReader.ReadPod(pod, OwnerOf(pod)).ToList(),
            report.AddPod,
            cancellationToken
        );
    }

    /// <summary>Nodes report the sizes of their images. Many callers have no permission to read them; sizes are then unknown.</summary>
    private async Task ReadSizesAsync(ReportBuilder report, CancellationToken cancellationToken)
    {
        var sizes = new Dictionary<string, long>(StringComparer.Ordinal);
        try
        {
            var nodes = _lister.ListAsync(new ResourceQuery(new ResourceType("v1", "nodes")), ReadSizes, cancellationToken);
            await foreach (var images in nodes)
            foreach (var (name, size) in images)
                sizes[name] = size;
        }
        catch (KubernetesException problem)
        {
            problems.Add($"Image sizes are unknown: {problem.Message}");
        }
        foreach (var entry in report.Entries)
            if (sizes.TryGetValue(entry.Name, out var size) || entry.Target is { } target && sizes.TryGetValue(target.ToString(), out size))
                entry.Size = size;
    }

    private static List<(string Name, long Size)> ReadSizes(JsonElement node)
    {
        var sizes = new List<(string, long)>();
        foreach (var image in TemplateReader.Items(TemplateReader.Member(node, "status"), "images"))
            if (TemplateReader.Member(image, "sizeBytes") is { ValueKind: JsonValueKind.Number } size)
                foreach (var name in TemplateReader.Items(image, "names"))
                    sizes.Add((name.GetString() ?? "", size.GetInt64()));
        return sizes;
    }

    private async Task ForEachAsync(
        ResourceQuery query,
        bool isOptional,
        Func<JsonElement, List<ImageUse>?> read,
        Action<IEnumerable<ImageUse>> add,
        CancellationToken cancellationToken
    )
    {
        try
        {
            await foreach (var uses in _lister.ListAsync(query, read, cancellationToken))
                if (uses is not null)
                    add(uses);
        }
        catch (KubernetesException problem)
        {
            if (!isOptional || problem.Status is not (System.Net.HttpStatusCode.NotFound or System.Net.HttpStatusCode.MethodNotAllowed))
                problems.Add($"{query.Type.Plural} of {query.Type.GroupVersion} cannot be read: {problem.Message}");
        }
    }

    /// <summary>
    /// A ReplicaSet of a Deployment and a Job of a CronJob have its template. What an operator made, a Deployment of a custom object for
    /// instance, is the only place of its own.
    /// </summary>
    private static bool IsMadeOfAnother(DiscoveredTemplate kind, JsonElement item) =>
        HasController(item, out var controller)
        && (kind.Type.Plural is "replicasets" or "replicationcontrollers" || TemplateReader.Text(controller, "kind") == "CronJob");

    private static Workload OwnerOf(JsonElement pod)
    {
        var metadata = TemplateReader.Member(pod, "metadata");
        var isControlled = HasController(pod, out var controller);
        var owner = isControlled ? controller : metadata;
        return new Workload(
            isControlled ? TemplateReader.Text(owner, "kind") ?? "" : "Pod",
            TemplateReader.Text(metadata, "namespace") ?? "",
            TemplateReader.Text(owner, "name") ?? ""
        )
        {
            ApiVersion = (isControlled ? TemplateReader.Text(owner, "apiVersion") : null) ?? "v1",
            Uid = TemplateReader.Text(owner, "uid"),
        };
    }

    private static bool HasController(JsonElement item, out JsonElement controller)
    {
        foreach (var owner in TemplateReader.Items(TemplateReader.Member(item, "metadata"), "ownerReferences"))
            if (TemplateReader.Member(owner, "controller").ValueKind == JsonValueKind.True)
            {
                controller = owner;
                return true;
            }
        controller = default;
        return false;
    }
}
