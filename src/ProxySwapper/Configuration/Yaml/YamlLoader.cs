using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace ProxySwapper.Configuration.Yaml;

/// <summary>
/// Loads YAML from any source within <see cref="BoundedYamlParser"/>'s limits. Merge keys (<c>&lt;&lt;: *base</c>) are resolved as kubectl
/// does: a mapping's own keys win, then whatever is merged first.
/// </summary>
internal static class YamlLoader
{
    private const string MergeKey = "<<";
    private const char ByteOrderMark = '\uFEFF';

    /// <summary>All documents of a text.</summary>
    /// <exception cref="YamlException">The text is not valid YAML or exceeds a limit.</exception>
    public static IReadOnlyList<YamlDocument> Load(string text)
    {
        var stream = new YamlStream();
        var parser = new Parser(new StringReader(WithoutByteOrderMarks(text)));
        try
        {
            stream.Load(new BoundedYamlParser(parser));
        }
        catch (Exception fault)
            when (fault is InvalidOperationException or ArgumentException or FormatException or IndexOutOfRangeException)
        {
            // The library's scanner throws these for some invalid input, such as a document that ends inside an alias.
            var at = parser.Current?.End ?? Mark.Empty;
            throw new YamlException(at, at, "the text cannot be read from here on", fault);
        }
        var merged = new HashSet<YamlNode>(ReferenceEqualityComparer.Instance);
        foreach (var document in stream.Documents)
            Merge(document.RootNode, merged);
        return [.. stream.Documents];
    }

    /// <summary>
    /// A mark may precede each document (YAML 1.2, 5.2), as where files were joined. The library would take it for a part of the first
    /// key, which nobody would see. Files lose theirs when they are read, the data of a ConfigMap does not.
    /// </summary>
    private static string WithoutByteOrderMarks(string text) =>
        text.Contains(ByteOrderMark, StringComparison.Ordinal)
            ? text.TrimStart(ByteOrderMark).Replace($"\n{ByteOrderMark}", "\n", StringComparison.Ordinal)
            : text;

    private static void Merge(YamlNode node, HashSet<YamlNode> merged)
    {
        // An alias is the same node again.
        if (!merged.Add(node))
            return;
        if (node is YamlSequenceNode sequence)
            foreach (var item in sequence)
                Merge(item, merged);
        if (node is not YamlMappingNode mapping)
            return;
        RejectDuplicates(mapping);
        foreach (var (_, value) in mapping.Children)
            Merge(value, merged);
        var key = mapping.Children.Keys.FirstOrDefault(key => key is YamlScalarNode { Value: MergeKey, Style: ScalarStyle.Plain });
        if (key is null)
            return;
        var sources = SourcesOf(mapping.Children[key]);
        mapping.Children.Remove(key);
        foreach (var (name, value) in sources.SelectMany(source => source.Children))
            if (!mapping.Children.ContainsKey(name))
                mapping.Add(name, value);
    }

    /// <summary>The library rejects equal keys; two that only differ in their tags are the same one for every reader here.</summary>
    private static void RejectDuplicates(YamlMappingNode mapping)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var key in mapping.Children.Keys)
            if (key is YamlScalarNode { Value: { } name } && !names.Add(name))
                throw new YamlException(key.Start, key.End, $"duplicate key {name}");
    }

    private static IEnumerable<YamlMappingNode> SourcesOf(YamlNode value) =>
        value switch
        {
            YamlMappingNode one => [one],
            YamlSequenceNode list when list.All(item => item is YamlMappingNode) => list.Cast<YamlMappingNode>(),
            _ => throw new YamlException(value.Start, value.End, $"'{MergeKey}' must be a mapping or a list of mappings"),
        };
}
