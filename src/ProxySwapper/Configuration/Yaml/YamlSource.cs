using YamlDotNet.RepresentationModel;

namespace ProxySwapper.Configuration.Yaml;

/// <summary>Where values were written: a file, and the environment variables laid over it.</summary>
internal sealed class YamlSource(string file, List<ConfigurationFault> faults)
{
    // YamlNode compares by value; locations need reference equality.
    private readonly Dictionary<YamlNode, string> _variables = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<YamlNode, (YamlNode Written, string? Key)> _derived = new(ReferenceEqualityComparer.Instance);

    /// <summary>Creates a value that comes from a variable; its faults name the variable.</summary>
    public YamlNode FromVariable(string variable, YamlNode value)
    {
        _variables[value] = variable;
        return value;
    }

    /// <summary>Registers a value that was made of another; its faults name the place of that one.</summary>
    /// <param name="written">What the file contains.</param>
    /// <param name="key">Its key's path; null keeps the path that a fault is reported with.</param>
    /// <param name="value">What was made of it.</param>
    public T Derive<T>(YamlNode written, string? key, T value)
        where T : YamlNode
    {
        _derived[value] = (written, key);
        return value;
    }

    public void Report(string key, YamlNode node, string message)
    {
        var (written, name) = _derived.GetValueOrDefault(node, (node, null));
        faults.Add(
            _variables.TryGetValue(node, out var variable)
                ? new(variable, 0, 0, key, message)
                : new(file, (int)written.Start.Line, (int)written.Start.Column, name ?? key, message)
        );
    }
}
