using YamlDotNet.RepresentationModel;

namespace ProxySwapper.Configuration.Yaml;

/// <summary>Where values were written: a file, and the variables of the environment that were laid over it.</summary>
internal sealed class YamlSource(string file, List<ConfigurationFault> faults)
{
    // Nodes are equal when their values are; here it counts which one it is.
    private readonly Dictionary<YamlNode, string> _variables = new(ReferenceEqualityComparer.Instance);

    /// <summary>Makes a value that was said by a variable, whose name its faults will tell.</summary>
    public YamlNode FromVariable(string variable, YamlNode value)
    {
        _variables[value] = variable;
        return value;
    }

    public void Report(string key, YamlNode node, string message) =>
        faults.Add(
            _variables.TryGetValue(node, out var variable)
                ? new(variable, 0, 0, key, message)
                : new(file, (int)node.Start.Line, (int)node.Start.Column, key, message)
        );
}
