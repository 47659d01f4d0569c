using ProxySwapper.Configuration;
using ProxySwapper.Configuration.Yaml;

namespace ProxySwapper.AdmissionPolicies;

/// <summary>The policy that is to be in force: always that of the last good configuration.</summary>
internal sealed class ServedPolicy
{
    private volatile AdmissionPolicy? _current;

    /// <summary>The policy; null where the webhook does the swap.</summary>
    public AdmissionPolicy? Current => _current;

    /// <summary>Takes the policy of a configuration, if that wants one.</summary>
    /// <param name="file">The configuration file's path, for faults.</param>
    /// <param name="text">Its text.</param>
    /// <param name="environment">What is laid over it.</param>
    /// <param name="options">What was read of both.</param>
    /// <exception cref="ConfigurationException">A policy cannot do what the configuration says; the one before stays.</exception>
    public void Apply(string file, string text, IReadOnlyDictionary<string, string> environment, ProxySwapperOptions options)
    {
        if (options.AdmissionPolicy.Name is null)
            return;
        var locations = ConfigurationLocations.Of(file, text, environment);
        var compiled = PolicyCompiler.Compile(options, locations);
        if (compiled.Refusals.Count > 0)
            throw new ConfigurationException([.. compiled.Refusals.Select(refusal => locations.FaultOf(refusal.Key, refusal.Reason))]);
        _current = compiled.Policy;
    }
}
