namespace ProxySwapper.Admission;

/// <summary>Adds admission to a host. Needs a <see cref="Rules.ConfigurationMonitor"/> and an <see cref="IAdmissionObserver"/>.</summary>
internal static class AdmissionRegistration
{
    public static IServiceCollection AddAdmission(this IServiceCollection services) =>
        services
            .AddSingleton<AdmissionMetrics>()
            .AddSingleton<AdmissionLog>()
            .AddSingleton<AdmissionTelemetry>()
            .AddSingleton<PodAdmission>()
            .AddSingleton<RequestBodyReader>()
            .AddSingleton<AdmissionEndpoint>();
}
