using System.Diagnostics.Metrics;
using ProxySwapper.AdmissionPolicies;
using ProxySwapper.Configuration;
using ProxySwapper.Management;
using ProxySwapper.Population.Cluster;

namespace ProxySwapper.Serving;

/// <summary>Adds the services that keep an admission policy up to date, if the configuration asks for one.</summary>
internal static class PolicyRegistration
{
    /// <param name="services">The host's services.</param>
    /// <param name="options">The configuration at the start.</param>
    /// <param name="file">The file it was read from, or null.</param>
    /// <exception cref="Configuration.Yaml.ConfigurationException">A policy cannot express the configuration.</exception>
    public static IServiceCollection AddAdmissionPolicy(
        this IServiceCollection services,
        ProxySwapperOptions options,
        ConfigurationFile? file
    )
    {
        var policy = new ServedPolicy();
        policy.Apply(file?.Path ?? "(no file)", file?.Text ?? "", file?.Environment ?? ConfigurationReader.ProcessEnvironment(), options);
        services.AddSingleton(policy);
        if (options.AdmissionPolicy.Name is not { } name)
            return services;
        services.AddSingleton(provider => new PolicyController(
            provider.GetRequiredService<KubernetesAccess>().Client is { } client ? new PolicyClient(client, name) : null,
            policy,
            provider.GetRequiredService<IMeterFactory>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<PolicyController>>()
        ));
        services.AddHostedService(provider => provider.GetRequiredService<PolicyController>());
        return services.AddReadinessCheck<PolicyController>();
    }
}
