using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;
using ProxySwapper.Admission;
using ProxySwapper.Backfilling;
using ProxySwapper.Configuration;
using ProxySwapper.Management;
using ProxySwapper.Population;
using ProxySwapper.Population.Downstream;
using ProxySwapper.Registry;
using ProxySwapper.Rules;

namespace ProxySwapper.Serving;

/// <summary>
/// The webhook's host: one listener with TLS for reviews only, one without for probes and metrics. Composed of the few parts it needs, so
/// that nothing listens, logs or reads settings that is not named here.
/// </summary>
internal static class ServeHost
{
    /// <summary>Builds the host, which listens once started.</summary>
    /// <param name="options">The configuration at the start.</param>
    /// <param name="file">The file to watch, or null if there is only the environment.</param>
    /// <param name="certificate">The webhook's certificate; null if an admission policy rewrites images instead of the webhook.</param>
    /// <param name="logging">Sets up the log.</param>
    /// <param name="isLocal">
    /// True to listen on the loopback address only, with no cluster but that of <paramref name="kubeconfig"/>.
    /// </param>
    /// <param name="kubeconfig">With <paramref name="isLocal"/>: the file of a kubeconfig, or null.</param>
    public static IHost Create(
        ProxySwapperOptions options,
        ConfigurationFile? file,
        ServingCertificate? certificate,
        Action<ILoggingBuilder> logging,
        bool isLocal = false,
        string? kubeconfig = null
    )
    {
        var environment = isLocal ? LocalEnvironment(kubeconfig) : EnvironmentVariables.OfProcess();
        var host = new HostBuilder().ConfigureLogging(logging);
        if (OtlpExport.IsWanted(environment))
            host.UseOtlpExport(environment);
        return host.ConfigureServices(services => AddServices(services, options, file, certificate, environment, isLocal))
            .ConfigureWebHost(
                web =>
                    web.UseKestrelCore()
                        .UseSockets()
                        .UseKestrelHttpsConfiguration()
                        .ConfigureServices(services =>
                            services
                                .AddSingleton<IConfigureOptions<KestrelServerOptions>, Listeners>()
                                .AddSingleton<IConfigureOptions<SocketTransportOptions>, Listeners>()
                        )
                        .Configure(app => app.Run(app.ApplicationServices.GetRequiredService<RequestDispatcher>().RespondAsync)),
                web => web.SuppressEnvironmentConfiguration = true
            )
            .Build();
    }

    /// <summary>
    /// A local host only uses the cluster it was given, even if a kubeconfig exists, none of the user's credentials for registries, and
    /// sends nothing to a collector.
    /// </summary>
    private static EnvironmentVariables LocalEnvironment(string? kubeconfig)
    {
        // As system users without a home have.
        var variables = new Dictionary<string, string> { ["HOME"] = "/nonexistent" };
        if (kubeconfig is not null)
            variables["KUBECONFIG"] = kubeconfig;
        return new EnvironmentVariables(variables);
    }

    private static void AddServices(
        IServiceCollection services,
        ProxySwapperOptions options,
        ConfigurationFile? file,
        ServingCertificate? certificate,
        EnvironmentVariables environment,
        bool isLocal
    )
    {
        services.Configure<HostOptions>(host => host.ShutdownTimeout = options.DrainDelay + options.ShutdownGracePeriod);
        var rules = new ConfigurationMonitor(RuleSet.Compile(options), TimeProvider.System.GetUtcNow());
        // Before management: the process is ready once everything registered earlier has started, including the warm-up.
        if (certificate is not null)
            AddReviews(services, certificate, isLocal ? null : options.Certificates);
        services.AddHostedService<StartupSummary>();
        services.AddManagement();
        if (options.ManagementTokenFrom is { } token)
            services.AddSingleton(token).AddSingleton<ManagementToken>();
        MetricHosts.Reserve(rules.Current);
        services.AddSingleton(
            new MetricHosts(
                AccessCheck.TargetsOf(options).Select(target => target.Registry).Concat(options.Registries.Select(entry => entry.Host))
            )
        );
        services.AddSingleton(TimeProvider.System).AddSingleton(options).AddSingleton(rules).AddSingleton(environment);
        services.AddAdmissionPolicy(options, file, environment);
        services.AddSingleton<IReadinessCheck, ReloadCheck>();
        if (file is not null)
            services.AddSingleton(file).AddHostedService<ConfigurationWatcher>();
        services.AddPopulation();
        services.AddHostedService<TemplateBackfill>();
        services.AddAdmission();
        services.AddSingleton(new ServeScope(isLocal)).AddSingleton<ConnectionLimits>().AddSingleton<RequestDispatcher>();
    }

    /// <summary>Adds what the listener for reviews needs.</summary>
    private static void AddReviews(IServiceCollection services, ServingCertificate certificate, SelfSignedOptions? selfSigned)
    {
        services.AddSingleton(certificate).AddHostedService<WarmUp>();
        services.AddHostedSingleton<CertificateWatcher>().AddReadinessCheck<CertificateWatcher>();
        if (selfSigned is not null)
            services
                .AddSingleton(selfSigned)
                .AddHostedSingleton<SelfSignedCertificateService>()
                .AddReadinessCheck<SelfSignedCertificateService>();
    }
}

/// <summary>The result of the last configuration load; never a reason not to be ready, since the previous rules stay in use.</summary>
internal sealed class ReloadCheck(ConfigurationMonitor rules) : IReadinessCheck
{
    public string CheckName => "rules";

    public ReadinessState State => new(true, Describe(rules.LastReload));

    private static string Describe(ReloadState state) =>
        state.IsSuccessful
            ? $"loaded at {state.At:u}"
            : $"the last change was rejected at {state.At:u}, the previous rules are in use: {string.Join("; ", state.Faults)}";
}
