using ProxySwapper.AdmissionPolicies;
using ProxySwapper.Configuration;
using ProxySwapper.Management;
using ProxySwapper.Registry;

namespace ProxySwapper.Serving;

/// <summary>Adds the services that keep an admission policy up to date, if the configuration asks for one.</summary>
internal static class PolicyRegistration
{
    /// <param name="services">The host's services.</param>
    /// <param name="options">The configuration at the start.</param>
    /// <param name="file">The file it was read from, or null.</param>
    /// <param name="environment">The environment laid over it.</param>
    /// <exception cref="Configuration.Yaml.ConfigurationException">A policy cannot express the configuration.</exception>
    public static IServiceCollection AddAdmissionPolicy(
        this IServiceCollection services,
        ProxySwapperOptions options,
        ConfigurationFile? file,
        EnvironmentVariables environment
    )
    {
        var policy = new ServedPolicy();
        policy.Apply(file?.Path ?? "(no file)", file?.Text ?? "", environment, options);
        services.AddSingleton(policy);
        if (options.AdmissionPolicy.Name is null)
            return services;
        return services.AddHostedSingleton<PolicyController>().AddReadinessCheck<PolicyController>();
    }
}
