namespace ProxySwapper.Management;

/// <summary>The management port's pages: probes, metrics and everything else registered as a <see cref="ManagementEndpoint"/>.</summary>
/// <param name="endpoints">The pages.</param>
/// <param name="token">The token that pages other than open ones require; null for none.</param>
internal sealed class ManagementPages(IEnumerable<ManagementEndpoint> endpoints, ManagementToken? token = null)
{
    private readonly Dictionary<string, ManagementEndpoint> _pages = endpoints.ToDictionary(page => page.Path, StringComparer.Ordinal);

    public static Task NotFound(HttpContext context)
    {
        context.Response.StatusCode = StatusCodes.Status404NotFound;
        return Task.CompletedTask;
    }

    public Task AnswerAsync(HttpContext context)
    {
        if (!_pages.TryGetValue(context.Request.Path.Value ?? "", out var page))
            return NotFound(context);
        if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method))
        {
            context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            return Task.CompletedTask;
        }
        if (page.IsOpen || token is null || token.IsGivenBy(context.Request))
            return page.Answer(context);
        context.Response.StatusCode = StatusCodes.Status401Unauthorized;
        context.Response.Headers.WWWAuthenticate = new[] { "Bearer", "Basic realm=\"proxyswapper\", charset=\"UTF-8\"" };
        return context.Response.WriteAsync("the management token is required, as Bearer or as the password of Basic\n");
    }
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
        services.AddSingleton<PrometheusExporter>().AddSingleton<ProcessMetrics>();
        services.AddSingleton(new ManagementEndpoint("/healthz", context => context.Response.WriteAsync("ok\n"), IsOpen: true));
        services.AddSingleton(provider => new ManagementEndpoint(
            "/readyz",
            provider.GetRequiredService<Readiness>().AnswerAsync,
            IsOpen: true
        ));
        services.AddSingleton(provider => new ManagementEndpoint(
            "/metrics",
            provider.GetRequiredService<PrometheusExporter>().AnswerAsync,
            IsOpen: true
        ));
        return services.AddSingleton<ManagementPages>();
    }
}
