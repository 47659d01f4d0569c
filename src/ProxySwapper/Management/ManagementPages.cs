using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace ProxySwapper.Management;

/// <summary>The management port's pages: probes, metrics and everything else registered as an <see cref="IManagementPage"/>.</summary>
/// <param name="pages">The pages.</param>
/// <param name="token">
/// The token that pages other than open ones require. Without one, only the machine or Pod itself can read them, from where
/// <c>kubectl port-forward</c> connects too.
/// </param>
internal sealed class ManagementPages(IEnumerable<IManagementPage> pages, ManagementToken? token = null)
{
    private readonly Dictionary<string, IManagementPage> _pages = pages.ToDictionary(page => page.Path, StringComparer.Ordinal);

    public static Task NotFound(HttpContext context)
    {
        context.Response.StatusCode = StatusCodes.Status404NotFound;
        return Task.CompletedTask;
    }

    public Task RespondAsync(HttpContext context)
    {
        if (!_pages.TryGetValue(context.Request.Path.Value ?? "", out var page))
            return NotFound(context);
        if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method))
        {
            context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            return Task.CompletedTask;
        }
        if (page.IsOpen || (token?.IsGivenBy(context.Request) ?? IsLoopback(context.Connection.RemoteIpAddress)))
            return page.RespondAsync(context);
        if (token is null)
        {
            context.Response.StatusCode = StatusCodes.Status403Forbidden;
            return context.Response.WriteAsync(
                $"without a management token (management.tokenFrom of the configuration, management.token of the chart), {page.Path} "
                    + "can only be read from localhost: use kubectl port-forward or proxyswapper status\n"
            );
        }
        context.Response.StatusCode = StatusCodes.Status401Unauthorized;
        context.Response.Headers.WWWAuthenticate = new[] { "Bearer", "Basic realm=\"proxyswapper\", charset=\"UTF-8\"" };
        return context.Response.WriteAsync("the management token is required, as Bearer or as the password of Basic\n");
    }

    /// <summary>Other addresses of 127.0.0.0/8 are not trusted: meshes such as Istio forward with them what comes from elsewhere.</summary>
    private static bool IsLoopback(IPAddress? address) =>
        IPAddress.IPv6Loopback.Equals(address)
        || IPAddress.Loopback.Equals(address is { IsIPv4MappedToIPv6: true } ? address.MapToIPv4() : address);
}

internal static class ManagementRegistration
{
    /// <summary>
    /// Adds probes, metrics and graceful shutdown to a host with <see cref="Configuration.ProxySwapperOptions"/> and a clock.
    /// </summary>
    public static IServiceCollection AddManagement(this IServiceCollection services)
    {
        services.AddMetrics();
        services.AddSingleton<Readiness>();
        services.AddHostedService<ServingLifecycle>();
        services.AddSingleton<ProcessMetrics>();
        // The exporter comes first: it only sees what is counted after it was created.
        services.AddSingleton<IManagementPage, PrometheusExporter>().AddSingleton<IManagementPage, HealthPage>().AddPage<Readiness>();
        return services.AddSingleton<ManagementPages>();
    }

    /// <summary>Adds a service that runs with the host and that others use.</summary>
    public static IServiceCollection AddHostedSingleton<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] T>(
        this IServiceCollection services
    )
        where T : class, IHostedService => services.AddSingleton<T>().AddHostedService(provider => provider.GetRequiredService<T>());

    /// <summary>Makes a registered service a page of the management port.</summary>
    public static IServiceCollection AddPage<T>(this IServiceCollection services)
        where T : class, IManagementPage => services.AddSingleton<IManagementPage>(provider => provider.GetRequiredService<T>());

    /// <summary>Makes a registered service a check of <c>/readyz</c>.</summary>
    public static IServiceCollection AddReadinessCheck<T>(this IServiceCollection services)
        where T : class, IReadinessCheck => services.AddSingleton<IReadinessCheck>(provider => provider.GetRequiredService<T>());
}
