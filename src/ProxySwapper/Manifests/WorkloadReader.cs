using ProxySwapper.Admission;
using ProxySwapper.Configuration.Yaml;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace ProxySwapper.Manifests;

/// <summary>
/// Finds the images of manifests: YAML of many documents, or JSON, of the kinds that make Pods. Other kinds make none and are passed
/// over, so that the output of a whole chart can be read.
/// </summary>
internal static class WorkloadReader
{
    /// <summary>Lists are nested once at most by anything that writes them; a list that holds itself ends here.</summary>
    private const int MaximumDepth = 8;

    private const string ListSuffix = "List";

    /// <summary>Where each kind keeps its Pods: itself, or their template.</summary>
    private static readonly Dictionary<string, string[]> PodPlaces = new(StringComparer.Ordinal)
    {
        ["Pod"] = [],
        ["PodTemplate"] = ["template"],
        ["ReplicationController"] = ["spec", "template"],
        ["ReplicaSet"] = ["spec", "template"],
        ["Deployment"] = ["spec", "template"],
        ["StatefulSet"] = ["spec", "template"],
        ["DaemonSet"] = ["spec", "template"],
        ["Job"] = ["spec", "template"],
        ["CronJob"] = ["spec", "jobTemplate", "spec", "template"],
    };

    /// <summary>All images in the order in which they stand there.</summary>
    /// <param name="file">How the text is named in faults.</param>
    /// <param name="text">The manifests.</param>
    /// <param name="defaultNamespace">The namespace of manifests without one.</param>
    /// <exception cref="ConfigurationException">The text is no YAML.</exception>
    public static IReadOnlyList<ManifestImage> Read(string file, string text, string defaultNamespace)
    {
        var stream = new YamlStream();
        try
        {
            stream.Load(new StringReader(text));
        }
        catch (YamlException fault)
        {
            throw new ConfigurationException([
                new(file, (int)fault.Start.Line, (int)fault.Start.Column, "", $"this is no YAML: {fault.Message}"),
            ]);
        }
        return [.. stream.Documents.SelectMany(document => ImagesOf(document.RootNode, defaultNamespace, depth: 0))];
    }

    /// <summary>The images of one manifest; the items of an API server's <c>PodList</c> have no kind of their own.</summary>
    private static IEnumerable<ManifestImage> ImagesOf(YamlNode node, string defaultNamespace, int depth, string? defaultKind = null)
    {
        if (node is not YamlMappingNode manifest || (Text(manifest, "kind") ?? defaultKind) is not { } kind)
            return [];
        if (kind.EndsWith(ListSuffix, StringComparison.Ordinal) && Child(manifest, "items") is YamlSequenceNode items)
            return depth == MaximumDepth
                ? []
                : items.SelectMany(item => ImagesOf(item, defaultNamespace, depth + 1, kind[..^ListSuffix.Length]));
        if (!PodPlaces.TryGetValue(kind, out var path))
            return [];
        var metadata = Child(manifest, "metadata") as YamlMappingNode;
        var @namespace = metadata is null ? null : Text(metadata, "namespace");
        var name = metadata is null ? null : Text(metadata, "name") ?? Text(metadata, "generateName");
        YamlNode? pod = manifest;
        foreach (var key in path)
            pod = pod is YamlMappingNode parent ? Child(parent, key) : null;
        if (pod is not YamlMappingNode template || Child(template, "spec") is not YamlMappingNode spec)
            return [];
        var isOptedOut = Find(template, "metadata", "labels", WellKnownLabels.OptOutLabel) is "true";
        return ImagesOfPod(spec)
            .Select(image => new ManifestImage(image, @namespace ?? defaultNamespace, isOptedOut) { Kind = kind, Name = name ?? "" });
    }

    private static IEnumerable<string> ImagesOfPod(YamlMappingNode pod)
    {
        foreach (var field in PodImageFields.OfSpec)
        foreach (var item in Items(pod, field.List))
        {
            var image =
                !field.IsVolume ? Text(item, "image")
                : Child(item, "image") is YamlMappingNode source ? Text(source, "reference")
                : null;
            if (!string.IsNullOrEmpty(image))
                yield return image;
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

/// <summary>An image that a manifest names, in the namespace that its Pods would be in, and whether they ask to be left alone.</summary>
internal sealed record ManifestImage(string Image, string Namespace, bool IsOptedOut = false)
{
    /// <summary>The kind of the manifest that names it; empty for an image without one.</summary>
    public string Kind { get; init; } = "";

    /// <summary>The name of that manifest; empty when it has none.</summary>
    public string Name { get; init; } = "";
}
