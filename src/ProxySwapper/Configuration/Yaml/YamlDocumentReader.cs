using ProxySwapper.Registry;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace ProxySwapper.Configuration.Yaml;

/// <summary>Reads a YAML file into sections that report every fault with its line.</summary>
internal static class YamlDocumentReader
{
    /// <summary>The document's top mapping; an empty document is an empty section. Null, with a fault, when the text is not YAML.</summary>
    public static YamlSection? Read(string file, string text, List<ConfigurationFault> faults) =>
        ReadMapping(file, text, faults) is { } root ? new YamlSection(new YamlSource(file, faults), "", root) : null;

    /// <summary>The document's top mapping, for changes before it is read.</summary>
    public static YamlMappingNode? ReadMapping(string file, string text, List<ConfigurationFault> faults)
    {
        if (text.Length > TextFile.MaximumSize)
        {
            faults.Add(new(file, 1, 1, "", $"the file is larger than {TextFile.MaximumSize / 1024 / 1024} MiB"));
            return null;
        }
        IReadOnlyList<YamlDocument> documents;
        try
        {
            documents = YamlLoader.Load(text);
        }
        catch (YamlException fault)
        {
            faults.Add(new(file, (int)fault.Start.Line, (int)fault.Start.Column, "", $"invalid YAML: {fault.Message}"));
            return null;
        }
        switch (documents)
        {
            case []:
                return new YamlMappingNode();
            case [{ RootNode: YamlMappingNode root }]:
                return root;
            case [{ RootNode: YamlScalarNode { Value: null or "" } }]:
                return new YamlMappingNode();
            case [var only]:
                faults.Add(
                    new(
                        file,
                        (int)only.RootNode.Start.Line,
                        (int)only.RootNode.Start.Column,
                        "",
                        "the document must be a mapping of keys to values"
                    )
                );
                return null;
            default:
                faults.Add(new(file, (int)documents[1].RootNode.Start.Line, 1, "", "must have one document; a second begins here"));
                return null;
        }
    }
}
