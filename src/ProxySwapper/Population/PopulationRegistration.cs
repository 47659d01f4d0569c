using ProxySwapper.Admission;
using ProxySwapper.Configuration;
using ProxySwapper.Management;
using ProxySwapper.Population.Cluster;
using ProxySwapper.Population.Downstream;
using ProxySwapper.Population.Gates;
using ProxySwapper.Population.Queue;
using ProxySwapper.Population.Transfer;
using ProxySwapper.Population.Work;
using ProxySwapper.Registries;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Timing;
using ProxySwapper.Rules;

namespace ProxySwapper.Population;

/// <summary>
/// Adds population to a host that has <see cref="ProxySwapperOptions"/>, a <see cref="ConfigurationMonitor"/>, a clock, and
/// <see cref="EnvironmentVariables"/>.
/// </summary>
internal static class PopulationRegistration
{
    public static IServiceCollection AddPopulation(this IServiceCollection services)
    {
        services.AddSingleton(Cluster).AddSingleton<RegistryConnections>().AddSingleton(ForLookups);
        services.AddSingleton(new Backoff(Random.Shared.NextDouble)).AddSingleton<PopulationQueue>();
        services.AddSingleton<DownstreamLookup>().AddSingleton<TagSources>().AddSingleton(Transfer);
        services.AddSingleton<SeenNamespaces>().AddSingleton<LookupLimiter>().AddSingleton<AdmissionLookups>();
        services
            .AddSingleton<CurrentPlanner>()
            .AddSingleton<PodEnqueuer>()
            .AddSingleton<PodLookups>()
            .AddSingleton<PodPlanner>()
            .AddSingleton<PodGating>()
            .AddSingleton<RecreationGuard>()
            .AddSingleton<RecreatedPods>()
            .AddSingleton<AdmissionCopies>()
            .AddSingleton<ExistsPolicy>()
            .AddSingleton<WaitingReviews>()
            .AddSingleton<CopyClaims>()
            .AddHostedSingleton<ClaimWatch>()
            .AddHostedSingleton<ClusterCapabilities>();
        services.AddSingleton<GateMetrics>().AddSingleton<GateReport>().AddSingleton<GateReleaser>().AddSingleton<PolicyMetrics>();
        services.AddHostedSingleton<GatedPods>().AddSingleton<PodEventHandler>().AddHostedSingleton<PodWatch>();
        services.AddHostedSingleton<EphemeralImages>();
        services.AddSingleton<PodWatchReadiness>().AddReadinessCheck<PodWatchReadiness>();
        services
            .AddSingleton<PopulationMetrics>()
            .AddSingleton<FailedImages>()
            .AddSingleton<FinishedImages>()
            .AddSingleton<DryRunImages>()
            .AddSingleton<PopulationSummary>()
            .AddSingleton<JobResults>()
            .AddSingleton<JobExecutor>();
        services.AddHostedSingleton<FailureEvents>().AddHostedSingleton<PullSecretCheck>();
        services.AddSingleton<HealthEvents>().AddSingleton<DownstreamProbe>();
        services.AddHostedSingleton<DownstreamHealth>().AddReadinessCheck<DownstreamHealth>();
        services.AddHostedService<Reconciler>().AddHostedService<PopulationWorker>().AddHostedService<AbandonedClaims>();
        return services
            .AddSingleton<IAdmissionObserver, PopulationObserver>()
            .AddSingleton<IManagementPage, PopulateEndpoint>()
            .AddSingleton<IManagementPage, PageEndpoint>()
            .AddSingleton<IManagementPage, AccessEndpoint>();
    }

    /// <summary>Decides which cluster is served, and whether any is.</summary>
    private static KubernetesAccess Cluster(IServiceProvider provider) =>
        KubernetesAccess.Create(
            provider.GetRequiredService<EnvironmentVariables>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<KubernetesAccess>>()
        );

    /// <summary>Of the two sets of registries, services get the one for lookups; only copies have the other.</summary>
    private static RegistryServices ForLookups(IServiceProvider provider) => provider.GetRequiredService<RegistryConnections>().ForLookups;

    /// <summary>Gives copies their own set of registries, and the limits that hold when each begins: a reload replaces them.</summary>
    private static ImageTransfer Transfer(IServiceProvider provider)
    {
        var rules = provider.GetRequiredService<ConfigurationMonitor>();
        return ImageTransfer.Create(
            provider.GetRequiredService<RegistryConnections>().ForCopies,
            provider.GetRequiredService<KubernetesAccess>().Client,
            () => rules.Current.Options.Populate.PullSecrets,
            () => rules.Current.Options.Populate.CopyTimeout,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<SourceCredentials>>()
        );
    }
}
