using System.Text.Json.Nodes;
using ProxySwapper.Admission;
using ProxySwapper.Configuration.Yaml;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace ProxySwapper.Manifests;

/// <summary>
/// Finds the images in manifests, YAML with any number of documents or JSON. Pods are found on their own and as templates
/// (<c>spec.template.spec.containers</c> and the like) of any kind: Deployments and CronJobs as well as Rollouts, DeploymentConfigs and
/// Knative Services. Whatever else may name an image is listed, so that none is lost silently.
/// </summary>
internal sealed class WorkloadReader
{
    private const string ListSuffix = "List";

    private readonly string _file;
    private readonly List<ManifestImage> _images = [];
    private readonly List<JsonObject> _scopes = [];
    private readonly List<string> _skipped = [];
    private readonly List<string> _unread = [];
    private readonly List<ConfigurationFault> _faults = [];

    private WorkloadReader(string file) => _file = file;

    /// <summary>The built-in kinds that determine for which Pods a webhook or an admission policy applies.</summary>
    private static readonly HashSet<string> Scopes = ["Namespace", "MutatingWebhookConfiguration", "MutatingAdmissionPolicyBinding"];

    /// <summary>Reads all images in document order, and lists manifests without any, and what may name others.</summary>
    /// <param name="file">The name of the text in faults.</param>
    /// <param name="text">The manifests.</param>
    /// <param name="defaultNamespace">The namespace of manifests without one.</param>
    /// <exception cref="ConfigurationException">The text is not YAML, or an image or a key in it is not a string.</exception>
    public static ManifestImages Read(string file, string text, string defaultNamespace)
    {
        var reader = new WorkloadReader(file);
        try
        {
            foreach (var document in YamlLoader.Load(text))
            {
                reader.ReadManifest(document.RootNode, defaultNamespace);
                reader.RejectTemplates(document.RootNode);
            }
        }
        catch (YamlException fault)
        {
            reader._faults.Add(new(file, (int)fault.Start.Line, (int)fault.Start.Column, "", $"invalid YAML: {fault.Message}"));
        }
        return reader._faults.Count > 0
            ? throw new ConfigurationException(reader._faults)
            : new ManifestImages(reader._images, reader._skipped, reader._unread) { Scopes = reader._scopes };
    }

    /// <summary>Reads one manifest, or the items of a list, each with its own namespace.</summary>
    /// <param name="node">The manifest.</param>
    /// <param name="defaultNamespace">Its namespace if it has none.</param>
    /// <param name="listedKind">Its kind if it has none, like items listed by an API server.</param>
    /// <param name="listedVersion">Its API version in that case.</param>
    private void ReadManifest(YamlNode node, string defaultNamespace, string? listedKind = null, string? listedVersion = null)
    {
        if (node is not YamlMappingNode manifest)
        {
            if (!YamlSection.IsNull(node))
                _unread.Add($"line {node.Start.Line} (not a manifest)");
            return;
        }
        var items = Child(manifest, "items");
        // Another kind may have items of its own beside a template.
        var list = Text(manifest, "kind") ?? ListSuffix;
        if (items is YamlSequenceNode manifests && list.EndsWith(ListSuffix, StringComparison.Ordinal))
        {
            var kind = list == ListSuffix ? null : list[..^ListSuffix.Length];
            var version = kind is null ? null : Text(manifest, "apiVersion");
            foreach (var item in manifests)
                ReadManifest(item, defaultNamespace, kind, version);
            // What kubectl prints where there is nothing; without it, there would seem to be no manifest.
            if (manifests.Children.Count == 0)
                _skipped.Add(list);
            return;
        }
        // A custom resource named like a list may have a mapping of its own there.
        if (
            items is not null
            && !YamlSection.IsNull(items)
            && Text(manifest, "kind")?.EndsWith(ListSuffix, StringComparison.Ordinal) == true
            && (BuiltInKinds.Contains(Text(manifest, "apiVersion") ?? "", list) || items is YamlScalarNode)
        )
        {
            _unread.Add($"{list} (items in line {items.Start.Line}: must be a list)");
            return;
        }
        var metadata = Child(manifest, "metadata") as YamlMappingNode;
        var workload = new ManifestImage("", (metadata is null ? null : Text(metadata, "namespace")) ?? defaultNamespace)
        {
            Kind = Text(manifest, "kind") ?? listedKind ?? "",
            Name = (metadata is null ? null : Text(metadata, "name") ?? Text(metadata, "generateName")) ?? "",
        };
        var name = workload.Kind.Length > 0 ? $"{workload.Kind}/{workload.Name}".TrimEnd('/') : $"line {manifest.Start.Line}";
        var hasPods = FindPods(manifest, workload, name);
        if (BuiltInKinds.Contains(Text(manifest, "apiVersion") ?? listedVersion ?? "", workload.Kind))
        {
            if (Scopes.Contains(workload.Kind) && YamlJson.Convert(manifest) is JsonObject scope)
            {
                scope["kind"] = workload.Kind;
                _scopes.Add(scope);
            }
            if (!hasPods && workload.Kind.Length == 0)
                _unread.Add($"{name} (no kind)");
            else if (!hasPods && BuiltInKinds.CreatesPods(workload.Kind))
                _unread.Add($"{name} (no Pod template)");
            else if (!hasPods)
                _skipped.Add(name);
            return;
        }
        var others = CustomResourceImages.Find(manifest).ToList();
        _unread.AddRange(others.Select(other => $"{name} ({other.Path} in line {other.Line}: {other.Reason})"));
        if (!hasPods && others.Count == 0)
            _skipped.Add(name);
    }

    /// <summary>Reads every Pod at or below a node: a manifest may have several templates, and a Pod may contain others.</summary>
    /// <returns>True if there is one, with or without images.</returns>
    private bool FindPods(YamlNode node, ManifestImage workload, string name)
    {
        if (node is YamlSequenceNode list)
            return list.Aggregate(false, (found, item) => FindPods(item, workload, name) || found);
        if (node is not YamlMappingNode mapping)
            return false;
        var isFound = false;
        foreach (var child in mapping.Children.Values)
        {
            if (child is YamlMappingNode spec && IsPod(spec))
            {
                isFound = true;
                var labels = LabelsOf(mapping);
                foreach (var image in ImagesOf(spec, name))
                    _images.Add(workload with { Image = image, Labels = labels });
            }
            isFound |= FindPods(child, workload, name);
        }
        return isFound;
    }

    /// <summary>True for a PodSpec, which is <c>spec</c> of a Pod or template; custom resources also give it other names.</summary>
    internal static bool IsPod(YamlMappingNode spec) => Child(spec, "containers") is YamlSequenceNode;

    private IEnumerable<string> ImagesOf(YamlMappingNode pod, string manifest)
    {
        foreach (var field in PodImageFields.OfSpec)
        foreach (var (index, item) in Items(pod, field.List, manifest).Index())
        {
            var source = Child(item, "image");
            var (holder, key) = field.IsVolume ? (source as YamlMappingNode, "reference") : (item, "image");
            if (holder is null)
            {
                if (source is not null && !YamlSection.IsNull(source))
                    _unread.Add($"{manifest} ({field.List}[{index}].image in line {source.Start.Line}: must be a mapping)");
                continue;
            }
            var image = Child(holder, key);
            if (image is not (null or YamlScalarNode))
                Reject(image, $"{key} must be a string");
            else if (image is null || YamlSection.IsNull(image) || image is YamlScalarNode { Value: "" })
                // An API server rejects it in a Pod; in a custom resource, its controller may know the image.
                _unread.Add($"{manifest} ({field.List}[{index}] in line {holder.Start.Line}: no {key})");
            else if (image is YamlScalarNode scalar && !YamlJson.IsString(scalar))
                _unread.Add($"{manifest} ({field.List}[{index}].{key} in line {image.Start.Line}: must be a string, not {scalar.Value})");
            else
                yield return ((YamlScalarNode)image).Value!;
        }
    }

    private IEnumerable<YamlMappingNode> Items(YamlMappingNode parent, string key, string manifest)
    {
        var child = Child(parent, key);
        if (child is not YamlSequenceNode list)
        {
            // An API server rejects it in a Pod; a custom resource may mean something else.
            if (child is not null && !YamlSection.IsNull(child))
                _unread.Add($"{manifest} ({key} in line {child.Start.Line}: must be a list)");
            yield break;
        }
        foreach (var item in list)
            if (item is YamlMappingNode mapping)
                yield return mapping;
            else
                Reject(item, $"the items of {key} must be mappings");
    }

    /// <summary>
    /// Rejects keys that are not scalars: JSON, and so a manifest, cannot have any, and <c>{{ .Values.containers }}</c> reads as one.
    /// </summary>
    private void RejectTemplates(YamlNode node)
    {
        if (node is YamlSequenceNode list)
            foreach (var item in list)
                RejectTemplates(item);
        if (node is not YamlMappingNode mapping)
            return;
        if (mapping.Children.Keys.Any(key => key is not YamlScalarNode))
            Reject(mapping, "keys must be strings");
        else
            foreach (var child in mapping.Children.Values)
                RejectTemplates(child);
    }

    /// <summary>Adds a fault, the first one of each place.</summary>
    private void Reject(YamlNode node, string what)
    {
        var (line, column) = ((int)node.Start.Line, (int)node.Start.Column);
        if (!_faults.Exists(fault => fault.Line == line && fault.Column == column))
            _faults.Add(new(_file, line, column, "", $"{what}; render templates first, for example with helm template"));
    }

    private static IReadOnlyDictionary<string, string> LabelsOf(YamlMappingNode pod)
    {
        if (Child(pod, "metadata") is not YamlMappingNode metadata || Child(metadata, "labels") is not YamlMappingNode labels)
            return ManifestImage.NoLabels;
        return labels
            .Children.Select(label => (Key: (label.Key as YamlScalarNode)?.Value, (label.Value as YamlScalarNode)?.Value))
            .Where(label => label is { Key: not null, Value: not null })
            .ToDictionary(label => label.Key!, label => label.Value!, StringComparer.Ordinal);
    }

    private static string? Text(YamlMappingNode parent, string key) =>
        Child(parent, key) is YamlScalarNode scalar && !YamlSection.IsNull(scalar) ? scalar.Value : null;

    private static YamlNode? Child(YamlMappingNode parent, string key) =>
        parent.Children.TryGetValue(new YamlScalarNode(key), out var child) ? child : null;
}

/// <summary>The images of manifests.</summary>
/// <param name="Images">The images of all Pods and templates.</param>
/// <param name="Skipped">The manifests that name none, by kind and name.</param>
/// <param name="Unread">What may name others: by kind and name, or by line, with the reason.</param>
internal sealed record ManifestImages(IReadOnlyList<ManifestImage> Images, IReadOnlyList<string> Skipped, IReadOnlyList<string> Unread)
{
    /// <summary>The namespaces, webhook configurations and policy bindings, which determine the Pods that are rewritten.</summary>
    public IReadOnlyList<JsonObject> Scopes { get; init; } = [];

    /// <summary>True if there was no manifest, as in the output of a command that failed.</summary>
    public bool IsEmpty => Images.Count + Skipped.Count + Unread.Count == 0;
}

/// <summary>An image in a manifest, with the namespace and the labels of its Pods.</summary>
internal sealed record ManifestImage(string Image, string Namespace)
{
    /// <summary>The labels of Pods without any.</summary>
    public static readonly IReadOnlyDictionary<string, string> NoLabels = new Dictionary<string, string>();

    /// <summary>The labels of its Pods.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = NoLabels;

    /// <summary>True with the opt-out label.</summary>
    public bool IsOptedOut => Labels.GetValueOrDefault(WellKnownLabels.OptOutLabel) == "true";

    /// <summary>The manifest's kind; empty for an image without a manifest.</summary>
    public string Kind { get; init; } = "";

    /// <summary>The manifest's name; empty if it has none.</summary>
    public string Name { get; init; } = "";
}
