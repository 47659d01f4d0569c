using ProxySwapper.AdmissionPolicies;
using ProxySwapper.Configuration;
using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Registry;

namespace ProxySwapper.Tests.AdmissionPolicies;

/// <summary>The policy compiled from a configuration's text.</summary>
internal static class PolicyText
{
    private static readonly EnvironmentVariables NoEnvironment = EnvironmentVariables.None;

    public static PolicyObjects Objects { get; } = new("proxyswapper", "v1");

    public static CompiledPolicy Compile(string configuration) =>
        PolicyCompiler.Compile(
            ConfigurationReader.ReadText("config.yaml", configuration, NoEnvironment),
            ConfigurationLocations.Of("config.yaml", configuration, NoEnvironment)
        );

    /// <summary>The policy as YAML, if it works without what is rejected, and the rejections, one per line.</summary>
    public static (string Policy, string Rejections) Of(string configuration)
    {
        var compiled = Compile(configuration);
        var locations = ConfigurationLocations.Of("config.yaml", configuration, NoEnvironment);
        using var yaml = new StringWriter();
        if (compiled.IsUsable)
            YamlWriter.Write(yaml, [Objects.PolicyOf(compiled.Policy)]);
        return (
            yaml.ToString(),
            string.Concat(compiled.Rejections.Select(rejection => $"{locations.CreateFault(rejection.Key, rejection.Reason)}\n"))
        );
    }
}
