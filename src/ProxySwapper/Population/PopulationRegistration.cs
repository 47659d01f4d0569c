using ProxySwapper.Admission;
using ProxySwapper.Configuration;
using ProxySwapper.Hosting;
using ProxySwapper.Kubernetes;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Rules;
using System.Diagnostics.Metrics;

namespace ProxySwapper.Population;

/// <summary>Adds population to a host. Needs a <see cref="RuleSetProvider"/>.</summary>
internal static class PopulationRegistration
{
    /// <param name="services">The host's services.</param>
    /// <param name="options">The configuration at the start; registries and their credentials are taken of it.</param>
    /// <param name="environment">Reads a variable of the environment.</param>
    public static IServiceCollection AddPopulation(this IServiceCollection services, ProxySwapperOptions options, Func<string, string?> environment)
    {
        services.AddSingleton(provider => new PopulationRegistries(
            CacheHosts.Entries(options, environment), () => provider.GetRequiredService<RuleSetProvider>().Current.Options.Registries, provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILoggerFactory>()));
        services.AddSingleton(provider => KubernetesAccess.Create(
            environment, provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<KubernetesAccess>>()));
        services.AddSingleton(provider => new PopulationQueue(
            Options(provider), provider.GetRequiredService<TimeProvider>(), new RetryDelay(Random.Shared.NextDouble)));
        services.AddSingleton(provider => new DownstreamLookup(
            provider.GetRequiredService<PopulationQueue>(), provider.GetRequiredService<PopulationRegistries>().Looks, Options(provider), provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<DownstreamLookup>>()));
        services.AddSingleton(Transfer);
        services.AddSingleton<PopulationMetrics>().AddSingleton<GivenUpImages>().AddSingleton<JobRunner>();
        services.AddSingleton<FailureEvents>().AddHostedService(provider => provider.GetRequiredService<FailureEvents>());
        services.AddSingleton<HealthEvents>();
        services.AddSingleton(Health).AddHostedService(provider => provider.GetRequiredService<DownstreamHealth>());
        services.AddSingleton(provider => new ReadinessCheck("downstream", () => new(true, provider.GetRequiredService<DownstreamHealth>().Describe())));
        services.AddHostedService<Reconciler>().AddHostedService<Populator>();
        services.AddSingleton<IImagePopulation, ImagePopulation>();
        services.AddSingleton<PopulateEndpoint>();
        services.AddSingleton(provider => new ManagementEndpoint(PopulateEndpoint.Path, provider.GetRequiredService<PopulateEndpoint>().AnswerAsync));
        return services;
    }

    private static Func<PopulateOptions> Options(IServiceProvider provider)
    {
        var rules = provider.GetRequiredService<RuleSetProvider>();
        return () => rules.Current.Options.Populate;
    }

    private static DownstreamHealth Health(IServiceProvider provider)
    {
        var access = provider.GetRequiredService<PopulationRegistries>().Looks;
        return new DownstreamHealth(
            (registry, cancellationToken) => access.Clients.For(registry, access.Credentials).PingAsync(cancellationToken),
            provider.GetRequiredService<RuleSetProvider>(), provider.GetRequiredService<HealthEvents>(), provider.GetRequiredService<IMeterFactory>(),
            provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<DownstreamHealth>>());
    }

    private static ImageTransfer Transfer(IServiceProvider provider)
    {
        var access = provider.GetRequiredService<PopulationRegistries>().Copies;
        var options = Options(provider);
        var secrets = provider.GetRequiredService<KubernetesAccess>().Client is { } client ? new PullSecretReader(client) : null;
        var sources = new SourceCredentials(secrets, access.Credentials, () => options().PullSecrets, DockerConfigSource.FromJson);
        var warmer = new CacheWarmer(access.Clients, access.Credentials, provider.GetRequiredService<TimeProvider>());
        return new ImageTransfer(access, warmer, sources);
    }
}
