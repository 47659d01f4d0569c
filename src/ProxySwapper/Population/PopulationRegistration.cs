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
using ProxySwapper.Registry.Timing;
using ProxySwapper.Rules;

namespace ProxySwapper.Population;

/// <summary>
/// Adds population to a host that has <see cref="ProxySwapperOptions"/>, a <see cref="ConfigurationMonitor"/>, a clock, and the function
/// that reads an environment variable.
/// </summary>
internal static class PopulationRegistration
{
    public static IServiceCollection AddPopulation(this IServiceCollection services)
    {
        services.AddSingleton(Cluster).AddSingleton<RegistryConnections>().AddSingleton(ForLookups);
        services.AddSingleton(Options).AddSingleton(new Backoff(Random.Shared.NextDouble)).AddSingleton<PopulationQueue>();
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
        services.AddSingleton<HealthEvents>().AddSingleton(Probe).AddSingleton(Health);
        services.AddHostedService(provider => provider.GetRequiredService<DownstreamHealth>()).AddReadinessCheck<DownstreamHealth>();
        services.AddHostedService<Reconciler>().AddHostedService<PopulationWorker>().AddHostedService<AbandonedClaims>();
        return services
            .AddSingleton<IAdmissionObserver, PopulationObserver>()
            .AddSingleton<IManagementPage, PopulateEndpoint>()
            .AddSingleton<IManagementPage, PageEndpoint>()
            .AddSingleton<IManagementPage, AccessEndpoint>();
    }

    private static KubernetesAccess Cluster(IServiceProvider provider) =>
        KubernetesAccess.Create(
            provider.GetRequiredService<Func<string, string?>>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<KubernetesAccess>>()
        );

    /// <summary>The options that hold now: a reload replaces them.</summary>
    private static Func<PopulateOptions> Options(IServiceProvider provider)
    {
        var rules = provider.GetRequiredService<ConfigurationMonitor>();
        return () => rules.Current.Options.Populate;
    }

    /// <summary>What a service is given that asks for registries; copies have their own.</summary>
    private static RegistryServices ForLookups(IServiceProvider provider) => provider.GetRequiredService<RegistryConnections>().ForLookups;

    private static DownstreamProbe Probe(IServiceProvider provider)
    {
        var (registries, planner) = (ForLookups(provider), provider.GetRequiredService<CurrentPlanner>());
        return new DownstreamProbe(
            (registry, cancellationToken) => registries.Clients.For(registry, registries.Credentials).PingAsync(cancellationToken),
            new AccessCheck(registries, () => planner.Value).AskAsync,
            provider.GetRequiredService<TimeProvider>()
        );
    }

    private static DownstreamHealth Health(IServiceProvider provider)
    {
        var capabilities = provider.GetRequiredService<ClusterCapabilities>();
        return ActivatorUtilities.CreateInstance<DownstreamHealth>(provider, () => capabilities.HasGates);
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
