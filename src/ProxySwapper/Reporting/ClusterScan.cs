using System.Net;
using System.Text.Json;
using ProxySwapper.Kubernetes;
using ProxySwapper.Registry;

namespace ProxySwapper.Reporting;

/// <summary>
/// Reads every Pod template and every Pod of a cluster as a stream, so that a large cluster needs little memory. Read-only; whatever the
/// caller has no permission to read becomes a problem in the report.
/// </summary>
internal sealed class ClusterScan(KubernetesClient client, string? onlyNamespace, ReportProblems problems, Action<string> progress)
{
    /// <summary>How often progress is reported.</summary>
    private const int ProgressInterval = 100;

    private readonly ResourceLister _lister = new(client);
    private readonly TemplateSchema _schema = new(client);

    /// <summary>The most owners above an object; Knative has five: Service, Configuration, Revision, Deployment, ReplicaSet.</summary>
    private const int MaximumDepth = 8;

    /// <summary>The controllers of what was listed: Pods are shown as those of the Deployment, or of whatever made that.</summary>
    private readonly Dictionary<Workload, Workload> _owners = [];

    /// <summary>What has a template.</summary>
    private readonly HashSet<Workload> _templates = [];

    /// <summary>Templates of objects with a controller, which may have a template itself.</summary>
    private readonly Dictionary<Workload, List<ImageUse>> _owned = [];

    /// <summary>By controller, the newest template that it made: all that is known of one whose own cannot be read.</summary>
    private readonly Dictionary<Workload, (string Created, List<ImageUse> Uses)> _newest = [];
    private KubernetesException? _firstError;
    private int _lists;

    /// <summary>Reads templates and Pods, and what nodes say about the size of images.</summary>
    /// <exception cref="KubernetesException">Nothing could be read.</exception>
    public async Task RunAsync(ReportBuilder report, CancellationToken cancellationToken)
    {
        await ReadAsync(report, cancellationToken);
        await ReadSizesAsync(report, cancellationToken);
    }

    /// <summary>Reads templates and Pods.</summary>
    /// <exception cref="KubernetesException">Nothing could be read.</exception>
    public async Task ReadAsync(ReportBuilder report, CancellationToken cancellationToken)
    {
        foreach (var kind in await new TemplateDiscovery(client, problems).FindAsync(cancellationToken))
            if (onlyNamespace is null || kind.IsNamespaced)
                await ReadTemplatesAsync(kind, report, cancellationToken);
            else if (await _schema.AllowsTemplateAsync(kind, cancellationToken))
                problems.Add($"{kind.Type.Plural} of {kind.Type.GroupVersion} are cluster-scoped and left out with -n.");
        AddOwned(report);
        await ReadPodsAsync(report, cancellationToken);
        // A report without any image would look as if everything were fine.
        if (_lists == 0 && _firstError is { } rejection)
            throw rejection;
    }

    private Task ReadTemplatesAsync(DiscoveredTemplate kind, ReportBuilder report, CancellationToken cancellationToken) =>
        ForEachAsync(
            new ResourceQuery(kind.Type, onlyNamespace),
            kind,
            item =>
            {
                var metadata = item.Member("metadata");
                var workload = new Workload(kind.Kind, metadata.TextOrEmpty("namespace"), metadata.TextOrEmpty("name"))
                {
                    ApiVersion = kind.Type.GroupVersion,
                    Uid = metadata.Text("uid"),
                };
                if (HasController(item, out var controller))
                    _owners[workload] = WorkloadOf(controller, workload.Namespace);
                var isRevision = controller.ValueKind != JsonValueKind.Undefined && IsRevision(kind);
                if (isRevision ? _templates.Contains(_owners[workload]) : IsOfCronJob(controller))
                    return null;
                if (TemplateReader.Find(item, [.. kind.Path]) is not { } template)
                    return null;
                var uses = TemplateReader.ReadTemplate(template, workload, kind.IsCustom ? null : PodController.Of(kind.Kind)).ToList();
                if (isRevision)
                {
                    AddRevision(_owners[workload], metadata.TextOrEmpty("creationTimestamp"), uses);
                    return null;
                }
                _templates.Add(workload);
                if (controller.ValueKind == JsonValueKind.Undefined)
                    return uses;
                _owned[workload] = uses;
                return null;
            },
            uses => report.AddTemplate(uses),
            cancellationToken
        );

    /// <summary>
    /// Adds the templates of objects with a controller: as its images if that has a template too. What an operator made of an object
    /// without one is a workload of its own.
    /// </summary>
    private void AddOwned(ReportBuilder report)
    {
        foreach (var (workload, uses) in _owned)
        {
            var top = TopOf(workload);
            report.AddTemplate(uses.Select(use => use with { Workload = InPlaceOf(use.Workload, top) }));
        }
        foreach (var (controller, (_, uses)) in _newest.Where(revision => !_templates.Contains(revision.Key)))
        {
            var top = TopOf(controller);
            report.AddTemplate(uses.Select(use => use with { Workload = InPlaceOf(use.Workload, top) }));
        }
    }

    private void AddRevision(Workload controller, string created, List<ImageUse> uses)
    {
        // Times of the API server have one format, in UTC.
        if (!_newest.TryGetValue(controller, out var other) || string.CompareOrdinal(created, other.Created) > 0)
            _newest[controller] = (created, uses);
    }

    /// <summary>The topmost owner with a template; without one, the topmost owner.</summary>
    private Workload TopOf(Workload workload)
    {
        var (top, isTemplate) = (workload, _templates.Contains(workload));
        for (var depth = 0; depth < MaximumDepth && _owners.TryGetValue(workload, out var owner); depth++)
        {
            workload = owner;
            if (_templates.Contains(owner))
                (top, isTemplate) = (owner, true);
            else if (!isTemplate)
                top = owner;
        }
        return top;
    }

    /// <summary>Another workload with the account and the pull Secrets of this one.</summary>
    private static Workload InPlaceOf(Workload workload, Workload other) =>
        other with
        {
            ServiceAccount = workload.ServiceAccount,
            PullSecrets = workload.PullSecrets,
        };

    private Task ReadPodsAsync(ReportBuilder report, CancellationToken cancellationToken) =>
        ForEachAsync(
            new ResourceQuery(ResourceType.Pods, onlyNamespace) { FieldSelector = "status.phase!=Succeeded,status.phase!=Failed" },
            null,
            ReadPod,
            report.AddPod,
            cancellationToken
        );

    private List<ImageUse> ReadPod(JsonElement pod)
    {
        var metadata = pod.Member("metadata");
        var @namespace = metadata.TextOrEmpty("namespace");
        // A static Pod's controller is its node.
        if (!HasController(pod, out var controller) || controller.Text("kind") == "Node")
            return
            [
                .. TemplateReader.ReadPod(
                    pod,
                    new Workload("Pod", @namespace, metadata.TextOrEmpty("name")) { Uid = metadata.Text("uid") },
                    null
                ),
            ];
        var owner = WorkloadOf(controller, @namespace);
        return [.. TemplateReader.ReadPod(pod, TopOf(owner), PodController.From(owner.ApiVersion, owner.Kind))];
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
            entry.Size = Find(entry.Decision.Source) ?? Find(entry.Target);

        long? Find(ImageReference? image) => image is not null && sizes.TryGetValue(NodeNameOf(image), out var size) ? size : null;
    }

    /// <summary>The name under which a node lists an image: without the tag if it was pulled by digest.</summary>
    private static string NodeNameOf(ImageReference image) => image.Digest is { } digest ? $"{image.Name}@{digest}" : image.ToString();

    private static List<(string Name, long Size)> ReadSizes(JsonElement node)
    {
        var sizes = new List<(string, long)>();
        foreach (var image in node.Items("status", "images"))
            if (image.Member("sizeBytes") is { ValueKind: JsonValueKind.Number } size)
                foreach (var name in image.Texts("names"))
                    // Docker lists an image as it was pulled: nginx:1.
                    if (ImageReference.TryParse(name, out var parsed))
                        sizes.Add((NodeNameOf(parsed.WithDefaultTag()), size.GetInt64()));
        return sizes;
    }

    private async Task ForEachAsync(
        ResourceQuery query,
        DiscoveredTemplate? kind,
        Func<JsonElement, List<ImageUse>?> read,
        Action<IEnumerable<ImageUse>> add,
        CancellationToken cancellationToken
    )
    {
        // A list that is restarted after its token has expired returns objects again.
        var seen = new HashSet<(string?, string?)>();
        progress($"reading {query.Type.Plural}");
        try
        {
            await foreach (var (key, uses) in _lister.ListAsync(query, item => (KeyOf(item), read(item)), cancellationToken))
            {
                if (!seen.Add(key))
                    continue;
                if (seen.Count % ProgressInterval == 0)
                    progress($"reading {query.Type.Plural}: {seen.Count}");
                if (uses is not null)
                    add(uses);
            }
            _lists++;
        }
        catch (KubernetesException problem)
        {
            if (kind is { IsCustom: true } custom)
            {
                if (problem.Status is HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed)
                    return;
                // What has no template hides no image. Roles such as view include few custom kinds.
                if (!await _schema.AllowsTemplateAsync(custom, cancellationToken))
                    return;
            }
            _firstError ??= problem;
            problems.AddUnseen($"{query.Type.Plural} of {query.Type.GroupVersion} cannot be read: {problem.Message}");
        }
    }

    private static (string?, string?) KeyOf(JsonElement item)
    {
        var metadata = item.Member("metadata");
        return (metadata.Text("namespace"), metadata.Text("name"));
    }

    /// <summary>A ReplicaSet of a Deployment has its template, or one that it had before.</summary>
    private static bool IsRevision(DiscoveredTemplate kind) => kind.Type.Plural is "replicasets" or "replicationcontrollers";

    /// <summary>A Job of a CronJob does not start again.</summary>
    private static bool IsOfCronJob(JsonElement controller) => controller.Text("kind") == "CronJob";

    private static Workload WorkloadOf(JsonElement owner, string @namespace) =>
        new(owner.TextOrEmpty("kind"), @namespace, owner.TextOrEmpty("name"))
        {
            ApiVersion = owner.Text("apiVersion") ?? "v1",
            Uid = owner.Text("uid"),
        };

    private static bool HasController(JsonElement item, out JsonElement controller)
    {
        foreach (var owner in item.Items("metadata", "ownerReferences"))
            if (owner.Member("controller").ValueKind == JsonValueKind.True)
            {
                controller = owner;
                return true;
            }
        controller = default;
        return false;
    }
}
