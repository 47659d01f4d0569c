namespace ProxySwapper.Configuration.Yaml;

/// <summary>A file is not valid; carries all faults. Commands print them and exit with 2.</summary>
internal sealed class ConfigurationException(IReadOnlyList<ConfigurationFault> faults) : Exception(string.Join(Environment.NewLine, faults))
{
    public IReadOnlyList<ConfigurationFault> Faults { get; } = faults;
}
