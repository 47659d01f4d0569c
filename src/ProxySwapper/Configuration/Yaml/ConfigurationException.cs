namespace ProxySwapper.Configuration.Yaml;

/// <summary>A file is not usable; all its faults together. A command that meets it prints them and exits with 2.</summary>
internal sealed class ConfigurationException(IReadOnlyList<ConfigurationFault> faults) : Exception(string.Join(Environment.NewLine, faults))
{
    public IReadOnlyList<ConfigurationFault> Faults { get; } = faults;
}
