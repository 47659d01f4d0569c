using ProxySwapper.Configuration.Yaml;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace ProxySwapper.Converting;

/// <summary>Converts the files of other tools to configurations and mirror files.</summary>
internal static class ForeignFileConverter
{
    private static readonly string[] SkopeoKeys = ["images", "images-by-tag-regex", "images-by-semver"];

    private static readonly string[] KubeImageKeeperKeys = ["controllers", "cachedImagesExpiryDelay", "registryUI", "configuration"];

    private static readonly string[] K8sImageSwapperKeys = ["target", "source", "imageSwapPolicy", "imageCopyPolicy", "imageCopyDeadline"];

    /// <summary>Converts a file's text.</summary>
    /// <param name="file">The file's name, for messages.</param>
    /// <param name="text">YAML or JSON.</param>
    /// <param name="format">The format; null to detect it by its keys.</param>
    /// <param name="target">Where images go, as far as the file does not say it.</param>
    /// <exception cref="ConfigurationException">The file is invalid.</exception>
    public static Conversion Convert(string file, string text, ForeignFormat? format, ForeignTarget target)
    {
        var notes = new ConversionNotes(file);
        var documents = Load(file, text);
        format ??=
            FormatOf(documents)
            ?? throw Error(
                file,
                "unknown format; name it with --from: " + string.Join(", ", Enum.GetValues<ForeignFormat>().Select(Conversion.Name))
            );
        var sections = documents.Select(document => new ForeignSection(notes, "", document)).ToList();
        if (format != ForeignFormat.KubeImageKeeper && sections.Count > 1)
            throw Error(file, "has more than one document; only one is allowed");
        var content = format switch
        {
            ForeignFormat.K8sImageSwapper => K8sImageSwapperConverter.Convert(sections[0]),
            ForeignFormat.KubeImageKeeper => new KubeImageKeeperConverter(target).Convert(sections),
            ForeignFormat.Regsync => new RegsyncConverter().Convert(sections[0]),
            _ => new SkopeoSyncConverter(target).Convert(sections[0]),
        };
        if (notes.Faults.Count > 0)
            throw new ConfigurationException(notes.Faults);
        return new Conversion(format.Value, format is ForeignFormat.Regsync or ForeignFormat.SkopeoSync, content, notes.LeftOut);
    }

    private static List<YamlMappingNode> Load(string file, string text)
    {
        try
        {
            var roots = YamlLoader.Load(text).Select(document => document.RootNode).ToList();
            roots.RemoveAll(root => root is YamlScalarNode { Value: null or "" });
            if (roots.Count == 0 || roots.Exists(root => root is not YamlMappingNode))
                throw Error(file, "must be a mapping of keys to values");
            return [.. roots.Cast<YamlMappingNode>().SelectMany(ItemsOf)];
        }
        catch (YamlException fault)
        {
            throw new ConfigurationException([
                new(file, (int)fault.Start.Line, (int)fault.Start.Column, "", $"invalid YAML: {fault.Message}"),
            ]);
        }
    }

    /// <summary>The objects of a List, in which kubectl prints several.</summary>
    private static IEnumerable<YamlMappingNode> ItemsOf(YamlMappingNode document) =>
        document.Children.TryGetValue(new YamlScalarNode("items"), out var items)
        && items is YamlSequenceNode list
        && Has(document, "apiVersion")
            ? list.OfType<YamlMappingNode>()
            : [document];

    private static ForeignFormat? FormatOf(List<YamlMappingNode> documents)
    {
        var first = documents[0];
        if (documents.TrueForAll(document => TextOf(document, "apiVersion").StartsWith("kuik.enix.io/", StringComparison.Ordinal)))
            return ForeignFormat.KubeImageKeeper;
        if (Has(first, "sync"))
            return ForeignFormat.Regsync;
        if (K8sImageSwapperKeys.Any(key => Has(first, key)) || IsSwapperChart(first))
            return ForeignFormat.K8sImageSwapper;
        if (KubeImageKeeperKeys.Any(key => Has(first, key)))
            return ForeignFormat.KubeImageKeeper;
        return
            first.Children.Count > 0
            && first.Children.Values.All(value => value is YamlMappingNode registry && SkopeoKeys.Any(key => Has(registry, key)))
            ? ForeignFormat.SkopeoSync
            : null;
    }

    private static bool IsSwapperChart(YamlMappingNode values) =>
        values.Children.TryGetValue(new YamlScalarNode("config"), out var config)
        && config is YamlMappingNode inner
        && K8sImageSwapperKeys.Any(key => Has(inner, key));

    private static bool Has(YamlMappingNode mapping, string key) => mapping.Children.ContainsKey(new YamlScalarNode(key));

    private static string TextOf(YamlMappingNode mapping, string key) =>
        mapping.Children.TryGetValue(new YamlScalarNode(key), out var node) && node is YamlScalarNode { Value: { } text } ? text : "";

    private static ConfigurationException Error(string file, string message) => new([new(file, 0, 0, "", message)]);
}

/// <summary>Settings that are not in the files of some tools but on their command line or in the cluster.</summary>
/// <param name="Prefix">A registry with an optional path, or null.</param>
/// <param name="IsScoped">Whether copies keep the whole path of their source, as with <c>skopeo sync --scoped</c>.</param>
internal sealed record ForeignTarget(string? Prefix, bool IsScoped);
