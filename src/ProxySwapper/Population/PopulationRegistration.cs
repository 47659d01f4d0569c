using System.Diagnostics.CodeAnalysis;
using System.Diagnostics.Metrics;
using ProxySwapper.Admission;
using ProxySwapper.Configuration;
using ProxySwapper.Management;
using ProxySwapper.Population.Cluster;
using ProxySwapper.Population.Downstream;
using ProxySwapper.Population.Gates;
using ProxySwapper.Population.Queue;
using ProxySwapper.Population.Transfer;
using ProxySwapper.Population.Work;
using ProxySwapper.Registry.Timing;
using ProxySwapper.Rules;

namespace ProxySwapper.Population;

/// <summary>Adds population to a host. Needs a <see cref="ConfigurationMonitor"/>.</summary>
internal static class PopulationRegistration
{
    /// <param name="services">The host's services.</param>
    /// <param name="options">The configuration at startup, for registries and their credentials.</param>
    /// <param name="environment">Reads an environment variable.</param>
    public static IServiceCollection AddPopulation(
        this IServiceCollection services,
        ProxySwapperOptions options,
        Func<string, string?> environment
    )
    {
        services.AddSingleton(provider => new RegistryConnections(
            ImpliedRegistryEntries.Entries(options, environment),
            () => provider.GetRequiredService<ConfigurationMonitor>().Current.Options.Registries,
            environment,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILoggerFactory>()
        ));
        services.AddSingleton(provider =>
            KubernetesAccess.Create(
                environment,
                provider.GetRequiredService<TimeProvider>(),
                provider.GetRequiredService<ILogger<KubernetesAccess>>()
            )
        );
        services.AddSingleton(provider => new PopulationQueue(
            Options(provider),
            provider.GetRequiredService<TimeProvider>(),
            new Backoff(Random.Shared.NextDouble)
        ));
        services.AddSingleton(provider => new DownstreamLookup(
            provider.GetRequiredService<PopulationQueue>(),
            provider.GetRequiredService<RegistryConnections>().ForLookups,
            Options(provider),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<DownstreamLookup>>()
        ));
        services.AddSingleton(provider => new TagSources(provider.GetRequiredService<RegistryConnections>().ForLookups));
        services.AddSingleton(Transfer);
        services
            .AddSingleton<CurrentPlanner>()
            .AddSingleton<PodPlanner>()
            .AddSingleton<PodGating>()
            .AddSingleton<RecreationGuard>()
            .AddSingleton<RecreatedPods>()
            .AddSingleton<AdmissionCopies>()
            .AddSingleton<CopyClaims>();
        AddHosted<ClaimWatch>(services);
        AddHosted<ClusterCapabilities>(services);
        services.AddSingleton<GateMetrics>().AddSingleton<GateReleaser>().AddSingleton<PolicyMetrics>();
        AddHosted<GatedPods>(services);
        AddHosted<PodWatch>(services);
        AddHosted<EphemeralImages>(services);
        services.AddSingleton<PodWatchReadiness>().AddReadinessCheck<PodWatchReadiness>();
        services
            .AddSingleton<PopulationMetrics>()
            .AddSingleton<FailedImages>()
            .AddSingleton<FinishedImages>()
            .AddSingleton<DryRunImages>()
            .AddSingleton<PopulationSummary>()
            .AddSingleton<JobResults>()
            .AddSingleton<JobExecutor>();
        AddHosted<FailureEvents>(services);
        AddHosted<PullSecretCheck>(services);
        services.AddSingleton<HealthEvents>();
        services.AddSingleton(Health).AddHostedService(provider => provider.GetRequiredService<DownstreamHealth>());
        services.AddReadinessCheck<DownstreamHealth>();
        services.AddHostedService<Reconciler>().AddHostedService<PopulationWorker>();
        services.AddSingleton<IAdmissionObserver, PopulationObserver>();
        services.AddSingleton(provider => new PopulateEndpoint(
            provider.GetRequiredService<PopulationQueue>(),
            provider.GetRequiredService<FailedImages>(),
            () => provider.GetRequiredService<ClaimWatch>().Held,
            () => provider.GetRequiredService<GatedPods>().Snapshot(),
            provider.GetRequiredService<PopulationSummary>().WriteTo
        ));
        return services
            .AddPage<PopulateEndpoint>()
            .AddSingleton<IManagementPage, PageEndpoint>()
            .AddSingleton<IManagementPage, AccessEndpoint>();
    }

    private static void AddHosted<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] T>(
        IServiceCollection services
    )
        where T : class, IHostedService => services.AddSingleton<T>().AddHostedService(provider => provider.GetRequiredService<T>());

    private static Func<PopulateOptions> Options(IServiceProvider provider)
    {
        var rules = provider.GetRequiredService<ConfigurationMonitor>();
        return () => rules.Current.Options.Populate;
    }

    private static DownstreamHealth Health(IServiceProvider provider)
    {
        var access = provider.GetRequiredService<RegistryConnections>().ForLookups;
        return new DownstreamHealth(
            new DownstreamProbe(
                (registry, cancellationToken) => access.Clients.For(registry, access.Credentials).PingAsync(cancellationToken),
                new AccessCheck(access, () => provider.GetRequiredService<CurrentPlanner>().Value).AskAsync,
                provider.GetRequiredService<TimeProvider>()
            ),
            () => provider.GetRequiredService<ClusterCapabilities>().HasGates,
            provider.GetRequiredService<ConfigurationMonitor>(),
            provider.GetRequiredService<HealthEvents>(),
            provider.GetRequiredService<IMeterFactory>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<DownstreamHealth>>()
        );
    }

    private static ImageTransfer Transfer(IServiceProvider provider)
    {
        var options = Options(provider);
        return ImageTransfer.Create(
            provider.GetRequiredService<RegistryConnections>().ForCopies,
            provider.GetRequiredService<KubernetesAccess>().Client,
            () => options().PullSecrets,
            () => options().CopyTimeout,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<SourceCredentials>>()
        );
    }
}
