using YamlDotNet.RepresentationModel;

namespace ProxySwapper.Configuration.Yaml;

/// <summary>Where values were written: a file, and the environment variables laid over it.</summary>
internal sealed class YamlSource(string file, List<ConfigurationFault> faults)
{
    // YamlNode compares by value; locations need reference equality.
    private readonly Dictionary<YamlNode, string> _variables = new(ReferenceEqualityComparer.Instance);

    /// <summary>Creates a value that comes from a variable; its faults name the variable.</summary>
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
