using ProxySwapper.Configuration;
using ProxySwapper.Rules;

namespace ProxySwapper.Tests.Population;

/// <summary>Configurations of population alone.</summary>
internal static class PopulateRules
{
    /// <summary>A monitor whose current configuration has these options.</summary>
    public static ConfigurationMonitor Of(PopulateOptions options) =>
        new(RuleSet.Compile(new() { Populate = options }), DateTimeOffset.UnixEpoch);

    /// <summary>Replaces the options.</summary>
    public static void Apply(this ConfigurationMonitor rules, PopulateOptions options) =>
        rules.Apply(RuleSet.Compile(new() { Populate = options }), DateTimeOffset.UnixEpoch);
}
