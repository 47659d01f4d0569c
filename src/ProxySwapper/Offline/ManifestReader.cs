using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;
using ProxySwapper.Configuration;

namespace ProxySwapper.Offline;

/// <summary>
/// Finds the images of manifests: YAML of many documents, or JSON, of the kinds that make Pods. Other kinds make none and are passed
/// over, so that the output of a whole chart can be read.
/// </summary>
internal static class ManifestReader
{
    /// <summary>Where each kind keeps the specification of its Pods.</summary>
    private static readonly Dictionary<string, string[]> PodSpecs = new(StringComparer.Ordinal)
    {
        ["Pod"] = ["spec"],
        ["PodTemplate"] = ["template", "spec"],
        ["ReplicationController"] = ["spec", "template", "spec"],
        ["ReplicaSet"] = ["spec", "template", "spec"],
        ["Deployment"] = ["spec", "template", "spec"],
        ["StatefulSet"] = ["spec", "template", "spec"],
        ["DaemonSet"] = ["spec", "template", "spec"],
        ["Job"] = ["spec", "template", "spec"],
        ["CronJob"] = ["spec", "jobTemplate", "spec", "template", "spec"],
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
            throw new ConfigurationException([new(file, (int)fault.Start.Line, (int)fault.Start.Column, "", $"this is no YAML: {fault.Message}")]);
        }
        return [.. stream.Documents.SelectMany(document => ImagesOf(document.RootNode, defaultNamespace))];
    }

    private static IEnumerable<ManifestImage> ImagesOf(YamlNode node, string defaultNamespace)
    {
        if (node is not YamlMappingNode manifest || Text(manifest, "kind") is not { } kind) return [];
        if (kind.EndsWith("List", StringComparison.Ordinal) && Child(manifest, "items") is YamlSequenceNode items)
            return items.SelectMany(item => ImagesOf(item, defaultNamespace));
        if (!PodSpecs.TryGetValue(kind, out var path)) return [];
        var @namespace = Child(manifest, "metadata") is YamlMappingNode metadata ? Text(metadata, "namespace") : null;
        YamlNode? spec = manifest;
        foreach (var key in path) spec = spec is YamlMappingNode parent ? Child(parent, key) : null;
        return spec is YamlMappingNode pod ? ImagesOfPod(pod).Select(image => new ManifestImage(image, @namespace ?? defaultNamespace)) : [];
    }

    private static IEnumerable<string> ImagesOfPod(YamlMappingNode pod)
    {
        foreach (var key in (string[])["initContainers", "containers", "ephemeralContainers"])
            foreach (var container in Items(pod, key))
                if (Text(container, "image") is { } image) yield return image;
        foreach (var volume in Items(pod, "volumes"))
            if (Child(volume, "image") is YamlMappingNode source && Text(source, "reference") is { } reference) yield return reference;
    }

    private static IEnumerable<YamlMappingNode> Items(YamlMappingNode parent, string key) =>
        Child(parent, key) is YamlSequenceNode list ? list.OfType<YamlMappingNode>() : [];

    private static string? Text(YamlMappingNode parent, string key) => (Child(parent, key) as YamlScalarNode)?.Value;

    private static YamlNode? Child(YamlMappingNode parent, string key) => parent.Children.TryGetValue(new YamlScalarNode(key), out var child) ? child : null;
}

/// <summary>An image that a manifest names, in the namespace that its Pods would be in.</summary>
internal sealed record ManifestImage(string Image, string Namespace);
