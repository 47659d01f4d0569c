using ProxySwapper.Admission;
using ProxySwapper.Configuration.Yaml;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace ProxySwapper.Manifests;

/// <summary>
/// Finds the images in manifests, YAML with any number of documents or JSON. Pods are found on their own and as templates
/// (<c>spec.template.spec.containers</c> and the like) of any kind: Deployments and CronJobs as well as Rollouts, DeploymentConfigs and
/// Knative Services.
/// </summary>
internal sealed class WorkloadReader
{
    private const string ListSuffix = "List";

    private readonly string _file;
    private readonly List<ManifestImage> _images = [];
    private readonly List<string> _skipped = [];
    private readonly List<ConfigurationFault> _faults = [];

    private WorkloadReader(string file) => _file = file;

    /// <summary>Reads all images in document order, and lists manifests without any.</summary>
    /// <param name="file">The name of the text in faults.</param>
    /// <param name="text">The manifests.</param>
    /// <param name="defaultNamespace">The namespace of manifests without one.</param>
    /// <exception cref="ConfigurationException">The text is not YAML, or an image in it is not a string.</exception>
    public static ManifestImages Read(string file, string text, string defaultNamespace)
    {
        var reader = new WorkloadReader(file);
        try
        {
            foreach (var document in YamlLoader.Load(text))
                reader.ReadManifest(document.RootNode, defaultNamespace);
        }
        catch (YamlException fault)
        {
            reader._faults.Add(new(file, (int)fault.Start.Line, (int)fault.Start.Column, "", $"invalid YAML: {fault.Message}"));
        }
        return reader._faults.Count > 0
            ? throw new ConfigurationException(reader._faults)
            : new ManifestImages(reader._images, reader._skipped);
    }

    /// <summary>Reads one manifest, or the items of a list, each with its own namespace.</summary>
    /// <param name="node">The manifest.</param>
    /// <param name="defaultNamespace">Its namespace if it has none.</param>
    /// <param name="listedKind">Its kind if it has none, like items listed by an API server.</param>
    private void ReadManifest(YamlNode node, string defaultNamespace, string? listedKind = null)
    {
        if (node is not YamlMappingNode manifest)
        {
            if (!YamlSection.IsNull(node))
                _skipped.Add($"line {node.Start.Line}");
            return;
        }
        if (Child(manifest, "items") is YamlSequenceNode items)
        {
            var kind =
                Text(manifest, "kind") is { } list && list.EndsWith(ListSuffix, StringComparison.Ordinal)
                    ? list[..^ListSuffix.Length]
                    : null;
            foreach (var item in items)
                ReadManifest(item, defaultNamespace, kind);
            return;
        }
        var metadata = Child(manifest, "metadata") as YamlMappingNode;
        var workload = new ManifestImage("", (metadata is null ? null : Text(metadata, "namespace")) ?? defaultNamespace)
        {
            Kind = Text(manifest, "kind") ?? listedKind ?? "",
            Name = (metadata is null ? null : Text(metadata, "name") ?? Text(metadata, "generateName")) ?? "",
        };
        if (!FindPods(manifest, workload))
            _skipped.Add(workload.Kind.Length > 0 ? $"{workload.Kind}/{workload.Name}".TrimEnd('/') : $"line {manifest.Start.Line}");
    }

    /// <returns>True if there is a Pod at or below the node, with or without images.</returns>
    private bool FindPods(YamlNode node, ManifestImage workload)
    {
        if (node is YamlSequenceNode list)
            return list.Aggregate(false, (found, item) => FindPods(item, workload) || found);
        if (node is not YamlMappingNode mapping)
            return false;
        if (Child(mapping, "spec") is YamlMappingNode spec && IsPod(spec))
        {
            var isOptedOut = Find(mapping, "metadata", "labels", WellKnownLabels.OptOutLabel) is "true";
            foreach (var image in ImagesOf(spec))
                _images.Add(workload with { Image = image, IsOptedOut = isOptedOut });
            return true;
        }
        return mapping.Children.Values.Aggregate(false, (found, child) => FindPods(child, workload) || found);
    }

    private static bool IsPod(YamlMappingNode spec) => Child(spec, "containers") is YamlSequenceNode;

    private IEnumerable<string> ImagesOf(YamlMappingNode pod)
    {
        foreach (var field in PodImageFields.OfSpec)
        foreach (var item in Items(pod, field.List))
        {
            var (holder, key) = field.IsVolume ? (Child(item, "image") as YamlMappingNode, "reference") : (item, "image");
            var image = holder is null ? null : Child(holder, key);
            if (image is not (null or YamlScalarNode))
                _faults.Add(
                    new(
                        _file,
                        (int)image.Start.Line,
                        (int)image.Start.Column,
                        "",
                        $"{key} must be a string; render templates first, for example with helm template"
                    )
                );
            else if (holder is not null && Text(holder, key) is { Length: > 0 } text)
                yield return text;
        }
    }

    private static IEnumerable<YamlMappingNode> Items(YamlMappingNode parent, string key) =>
        Child(parent, key) is YamlSequenceNode list ? list.OfType<YamlMappingNode>() : [];

    private static string? Find(YamlMappingNode parent, string section, string map, string key) =>
        Child(parent, section) is YamlMappingNode outer && Child(outer, map) is YamlMappingNode inner ? Text(inner, key) : null;

    private static string? Text(YamlMappingNode parent, string key) =>
        Child(parent, key) is YamlScalarNode scalar && !YamlSection.IsNull(scalar) ? scalar.Value : null;

    private static YamlNode? Child(YamlMappingNode parent, string key) =>
        parent.Children.TryGetValue(new YamlScalarNode(key), out var child) ? child : null;
}

/// <summary>The images of manifests.</summary>
/// <param name="Images">The images of all Pods and templates.</param>
/// <param name="Skipped">The manifests without any, by kind and name.</param>
internal sealed record ManifestImages(IReadOnlyList<ManifestImage> Images, IReadOnlyList<string> Skipped);

/// <summary>An image in a manifest, with the namespace of its Pods and whether they opt out.</summary>
internal sealed record ManifestImage(string Image, string Namespace, bool IsOptedOut = false)
{
    /// <summary>The manifest's kind; empty for an image without a manifest.</summary>
    public string Kind { get; init; } = "";

    /// <summary>The manifest's name; empty if it has none.</summary>
    public string Name { get; init; } = "";
}
