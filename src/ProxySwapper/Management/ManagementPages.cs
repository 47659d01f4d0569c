namespace ProxySwapper.Management;

/// <summary>
/// The management port's pages: probes and metrics of every process, and whatever else is registered as a <see cref="ManagementEndpoint"/>.
/// </summary>
internal sealed class ManagementPages(IEnumerable<ManagementEndpoint> endpoints)
{
    private readonly Dictionary<string, RequestDelegate> _answers = endpoints.ToDictionary(
        page => page.Path,
        page => page.Answer,
        StringComparer.Ordinal
    );

    public static Task NotFound(HttpContext context)
    {
        context.Response.StatusCode = StatusCodes.Status404NotFound;
        return Task.CompletedTask;
    }

    public Task AnswerAsync(HttpContext context)
    {
        if (!_answers.TryGetValue(context.Request.Path.Value ?? "", out var answer))
            return NotFound(context);
        if (HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method))
            return answer(context);
        context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
        return Task.CompletedTask;
    }
}

internal static class ManagementRegistration
{
    /// <summary>Probes, metrics and a drained end, for a host with <see cref="Configuration.ProxySwapperOptions"/> and a clock.</summary>
    public static IServiceCollection AddManagement(this IServiceCollection services)
    {
        services.AddMetrics();
        services.AddSingleton<Readiness>();
        services.AddHostedService<ServingLifecycle>();
        services.AddSingleton<PrometheusExporter>().AddSingleton<ProcessMetrics>();
        services.AddSingleton(new ManagementEndpoint("/healthz", context => context.Response.WriteAsync("ok\n")));
        services.AddSingleton(provider => new ManagementEndpoint("/readyz", provider.GetRequiredService<Readiness>().AnswerAsync));
        services.AddSingleton(provider => new ManagementEndpoint(
            "/metrics",
            provider.GetRequiredService<PrometheusExporter>().AnswerAsync
        ));
        return services.AddSingleton<ManagementPages>();
    }
}
