using ProxySwapper.Configuration.Yaml;
using YamlDotNet.RepresentationModel;

namespace ProxySwapper.Converting;

/// <summary>What was found while converting a file, with line numbers.</summary>
internal sealed class ConversionNotes(string file)
{
    private readonly List<ConfigurationFault> _faults = [];
    private readonly List<ConfigurationFault> _leftOut = [];

    /// <summary>Faults that make the file unusable.</summary>
    public IReadOnlyList<ConfigurationFault> Faults => InOrder(_faults);

    /// <summary>What is missing from the result, and what to do about it.</summary>
    public IReadOnlyList<ConfigurationFault> LeftOut => InOrder(_leftOut);

    public void Fault(string key, YamlNode node, string message) => _faults.Add(At(key, node, message));

    public void LeaveOut(string key, YamlNode node, string message) => _leftOut.Add(At(key, node, message));

    private static List<ConfigurationFault> InOrder(List<ConfigurationFault> found) => [.. found.OrderBy(fault => fault.Line)];

    private ConfigurationFault At(string key, YamlNode node, string message) =>
        new(file, (int)node.Start.Line, (int)node.Start.Column, key, message);
}
