using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using ProxySwapper.Configuration;
using ProxySwapper.Management;
using ProxySwapper.Registry.Credentials;

namespace ProxySwapper.CredentialHelper;

/// <summary>The sidecar of a registry cache: credentials on the loopback address only, probes and metrics on the management port.</summary>
internal static class CredentialSidecar
{
    /// <summary>Builds the host, which listens once started.</summary>
    /// <param name="options">The configuration with the registries to serve.</param>
    /// <param name="port">The port on the loopback address.</param>
    /// <param name="credentials">Where credentials come from.</param>
    /// <param name="loggers">The log.</param>
    public static WebApplication Create(
        ProxySwapperOptions options,
        int port,
        IRegistryCredentialSource credentials,
        ILoggerFactory loggers
    )
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "proxyswapper" });
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = options.DrainDelay + options.ShutdownGracePeriod);
        builder
            .WebHost.UseKestrelCore()
            .ConfigureKestrel(kestrel =>
            {
                kestrel.AddServerHeader = false;
                kestrel.Limits.MaxRequestBodySize = 0;
                kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
                kestrel.Listen(IPAddress.Loopback, port, listen => listen.Protocols = HttpProtocols.Http1);
                kestrel.ListenAnyIP(options.ManagementPort, listen => listen.Protocols = HttpProtocols.Http1);
            });
        builder.Services.AddSingleton(TimeProvider.System).AddSingleton(options).AddSingleton(loggers).AddManagement();
        builder.Services.AddSingleton(credentials).AddSingleton<CredentialEndpoint>().AddReadinessCheck<CredentialEndpoint>();
        var app = builder.Build();
        // The management pages first: their exporter only sees what is counted afterwards.
        var pages = app.Services.GetRequiredService<ManagementPages>();
        var endpoint = app.Services.GetRequiredService<CredentialEndpoint>();
        app.Run(context =>
            context.Connection.LocalPort != port ? pages.RespondAsync(context)
            : context.Request.Path == CredentialEndpoint.Path && HttpMethods.IsGet(context.Request.Method) ? endpoint.RespondAsync(context)
            : ManagementPages.NotFound(context)
        );
        return app;
    }
}
