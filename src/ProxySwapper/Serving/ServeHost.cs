using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using ProxySwapper.Admission;
using ProxySwapper.Configuration;
using ProxySwapper.Management;
using ProxySwapper.Population;
using ProxySwapper.Rules;

namespace ProxySwapper.Serving;

/// <summary>
/// The running webhook: one listener with TLS for reviews and nothing else, one without for probes and metrics. Built of the
/// few parts that it needs, so that nothing listens, logs or reads settings but what is named here.
/// </summary>
internal static class ServeHost
{
    /// <summary>API servers keep a few connections each; a thousand that do nothing take 50 MB.</summary>
    private const int MaximumConnections = 1000;

    /// <summary>Builds the host; it listens once it is started.</summary>
    /// <param name="options">The configuration at the start.</param>
    /// <param name="file">The file to watch, or null when the environment says all.</param>
    /// <param name="certificate">The webhook's certificate.</param>
    /// <param name="logging">Sets up the log.</param>
    /// <param name="isLocal">Listens on the loopback address alone, and has no cluster.</param>
    public static IHost Create(
        ProxySwapperOptions options,
        ConfigurationFile? file,
        ServingCertificate certificate,
        Action<ILoggingBuilder> logging,
        bool isLocal = false
    )
    {
        var environment = file?.Environment ?? ConfigurationReader.ProcessEnvironment();
        var host = new HostBuilder().ConfigureLogging(logging);
        if (OtlpExport.IsWanted(environment))
            host.UseOtlpExport(environment);
        return host.ConfigureServices(services => AddServices(services, options, file, certificate, environment, isLocal))
            .ConfigureWebHost(
                web =>
                    web.UseKestrelCore()
                        // What sockets bring goes to the thread pool at once: queues of their own between would be one more hop that waits
                        // behind copies.
                        .UseSockets(sockets => sockets.IOQueueCount = 0)
                        .UseKestrelHttpsConfiguration()
                        .ConfigureKestrel(kestrel => Configure(kestrel, options, certificate, isLocal))
                        .Configure(app => app.Run(Dispatcher(app.ApplicationServices))),
                web => web.SuppressEnvironmentConfiguration = true
            )
            .Build();
    }

    private static void AddServices(
        IServiceCollection services,
        ProxySwapperOptions options,
        ConfigurationFile? file,
        ServingCertificate certificate,
        IReadOnlyDictionary<string, string> environment,
        bool isLocal
    )
    {
        services.Configure<HostOptions>(host => host.ShutdownTimeout = options.DrainDelay + options.ShutdownGracePeriod);
        var rules = new ConfigurationMonitor(RuleSet.Compile(options), TimeProvider.System.GetUtcNow());
        services.AddHostedService<WarmUp>();
        services.AddManagement();
        services.AddSingleton(TimeProvider.System).AddSingleton(options).AddSingleton(rules).AddSingleton(certificate);
        services.AddSingleton<CertificateWatcher>().AddHostedService(provider => provider.GetRequiredService<CertificateWatcher>());
        if (options.Certificates is not null && !isLocal)
        {
            services.AddSingleton(provider => new SelfSignedCertificateService(
                options.Certificates,
                certificate,
                name => environment.GetValueOrDefault(name),
                provider.GetRequiredService<TimeProvider>(),
                provider.GetRequiredService<ILogger<SelfSignedCertificateService>>()
            ));
            services.AddHostedService(provider => provider.GetRequiredService<SelfSignedCertificateService>());
            services.AddSingleton(provider => new ReadinessCheck(
                "issued certificate",
                () => provider.GetRequiredService<SelfSignedCertificateService>().State
            ));
        }
        services.AddSingleton(provider => new ReadinessCheck(
            "certificate",
            () => new(true, provider.GetRequiredService<CertificateWatcher>().Fault ?? "")
        ));
        services.AddSingleton(new ReadinessCheck("rules", () => new(true, DescribeReload(rules.LastReload))));
        if (file is not null)
            services.AddSingleton(file).AddHostedService<ConfigurationWatcher>();
        // On this machine alone there is no cluster, even where a kubeconfig lies about.
        services.AddPopulation(options, name => isLocal ? null : environment.GetValueOrDefault(name));
        services.AddAdmission();
    }

    private static void Configure(KestrelServerOptions kestrel, ProxySwapperOptions options, ServingCertificate certificate, bool isLocal)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = RequestBodyReader.MaximumSize;
        // A body has a time as a whole; a rate would end it sooner.
        kestrel.Limits.MinRequestBodyDataRate = null;
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
        kestrel.Limits.MaxConcurrentConnections = MaximumConnections;
        List<SslApplicationProtocol> protocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11];
        Listen(
            options.Port,
            listen =>
                listen.UseHttps(
                    new TlsHandshakeCallbackOptions
                    {
                        HandshakeTimeout = TimeSpan.FromSeconds(10),
                        OnConnection = _ =>
                            new(
                                new SslServerAuthenticationOptions
                                {
                                    ServerCertificateContext = certificate.Context,
                                    EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
                                    ApplicationProtocols = protocols,
                                }
                            ),
                    }
                )
        );
        Listen(options.ManagementPort, listen => listen.Protocols = HttpProtocols.Http1);

        void Listen(int port, Action<ListenOptions> configure)
        {
            if (isLocal)
                kestrel.Listen(IPAddress.Loopback, port, configure);
            else
                kestrel.ListenAnyIP(port, configure); // IPv6 and IPv4, or IPv4 where there is no other
        }
    }

    /// <summary>Reviews come with TLS, and only they; everything else is on the port without.</summary>
    private static RequestDelegate Dispatcher(IServiceProvider services)
    {
        var admission = services.GetRequiredService<AdmissionEndpoint>();
        var pages = services.GetRequiredService<ManagementPages>();
        return context =>
            !context.Request.IsHttps ? pages.AnswerAsync(context)
            : context.Request.Path.Value == AdmissionEndpoint.Path ? admission.AnswerAsync(context)
            : ManagementPages.NotFound(context);
    }

    private static string DescribeReload(ReloadState state) =>
        state.IsSuccessful
            ? $"loaded at {state.At:u}"
            : $"the last change was refused at {state.At:u}, the rules before it are in force: {string.Join("; ", state.Faults)}";
}
