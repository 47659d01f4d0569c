using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Registry;
using YamlDotNet.RepresentationModel;

namespace ProxySwapper.Configuration;

/// <summary>Where each configuration key was written, so that faults found after reading can still name file and line.</summary>
internal sealed class ConfigurationLocations
{
    private readonly string _file;
    private readonly YamlMappingNode _root;
    private readonly EnvironmentVariables _environment;

    private readonly string _place;

    private ConfigurationLocations(string file, YamlMappingNode root, string place, EnvironmentVariables environment) =>
        (_file, _root, _place, _environment) = (file, root, place, environment);

    /// <summary>The locations of a file's text, overlaid with the environment.</summary>
    public static ConfigurationLocations Of(string file, string text, EnvironmentVariables environment) =>
        new(file, YamlDocumentReader.ReadMapping(file, text, []) ?? new YamlMappingNode(), "", environment);

    /// <summary>The locations of a mapping within a file.</summary>
    /// <param name="file">The file's path.</param>
    /// <param name="mapping">The configuration.</param>
    /// <param name="place">The path of the mapping, which precedes keys in faults.</param>
    /// <param name="environment">The environment laid over it.</param>
    public static ConfigurationLocations Of(string file, YamlMappingNode mapping, string place, EnvironmentVariables environment) =>
        new(file, mapping, place, environment);

    /// <summary>The line of a key's value, counted from 1; null when the file does not contain it.</summary>
    /// <param name="key">A path such as <c>rules[2].matchRegex</c>.</param>
    public int? LineOf(string key) => Find(key) is { } node ? (int)node.Start.Line : null;

    /// <summary>Whether a key is set, in the file or by its environment variable.</summary>
    public bool Has(string key) => EnvironmentOverlay.FindVariable(_environment, key) is not null || Find(key) is not null;

    /// <summary>A fault at a key's value, or at the variable that sets it.</summary>
    public ConfigurationFault CreateFault(string key, string message)
    {
        if (EnvironmentOverlay.FindVariable(_environment, key) is { } variable)
            return new(variable, 0, 0, key, message);
        return Find(key) is { } node
            ? new(_file, (int)node.Start.Line, (int)node.Start.Column, PathOf(key), message)
            : new(_file, 0, 0, PathOf(key), message);
    }

    private string PathOf(string key) => _place.Length == 0 ? key : $"{_place}.{key}";

    private YamlNode? Find(string key)
    {
        YamlNode? node = _root;
        foreach (var part in key.Replace("[", ".[", StringComparison.Ordinal).Split('.'))
            node = node switch
            {
                YamlSequenceNode list when part.StartsWith('[') => list.Children.ElementAtOrDefault(
                    int.Parse(part.AsSpan(1, part.Length - 2), provider: null)
                ),
                YamlMappingNode mapping => mapping
                    .Children.FirstOrDefault(pair =>
                        pair.Key is YamlScalarNode { Value: { } name } && name.Equals(part, StringComparison.OrdinalIgnoreCase)
                    )
                    .Value,
                _ => null,
            };
        return node;
    }
}
