using ProxySwapper.Configuration;
using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Registry;

namespace ProxySwapper.AdmissionPolicies;

/// <summary>The policy to apply: always that of the last valid configuration.</summary>
internal sealed class ServedPolicy
{
    private volatile AdmissionPolicy? _current;

    /// <summary>The policy; null if the webhook rewrites images.</summary>
    public AdmissionPolicy? Current => _current;

    /// <summary>Compiles the policy of a configuration, if it asks for one.</summary>
    /// <param name="file">The configuration file's path, for faults.</param>
    /// <param name="text">Its text.</param>
    /// <param name="environment">The environment laid over it.</param>
    /// <param name="options">The resulting options.</param>
    /// <exception cref="ConfigurationException">A policy cannot express the configuration; the previous policy stays.</exception>
    public void Apply(string file, string text, EnvironmentVariables environment, ProxySwapperOptions options)
    {
        if (options.AdmissionPolicy.Name is not null)
            _current = Compile(options, ConfigurationLocations.Of(file, text, environment));
    }

    /// <summary>The policy of a configuration.</summary>
    /// <exception cref="ConfigurationException">A policy cannot express it.</exception>
    public static AdmissionPolicy Compile(ProxySwapperOptions options, ConfigurationLocations locations)
    {
        var compiled = PolicyCompiler.Compile(options, locations);
        if (compiled.Rejections.Count > 0)
            throw new ConfigurationException([
                .. compiled.Rejections.Select(rejection => locations.CreateFault(rejection.Key, rejection.Reason)),
            ]);
        return compiled.Policy;
    }
}
