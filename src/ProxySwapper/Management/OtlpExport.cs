using System.Diagnostics.Tracing;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using ProxySwapper.Registry;

namespace ProxySwapper.Management;

/// <summary>
/// Sends spans and metrics to a collector if the environment names one, using the standard OpenTelemetry variables
/// (<see href="https://opentelemetry.io/docs/specs/otel/protocol/exporter/"/>). Not loaded otherwise, which saves memory.
/// </summary>
internal static class OtlpExport
{
    private const string VariablePrefix = "OTEL_";
    private const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";

    /// <summary>True if the environment names a collector.</summary>
    public static bool IsWanted(EnvironmentVariables environment) =>
        environment[Endpoint] is { Length: > 0 }
        && !string.Equals(environment["OTEL_SDK_DISABLED"], "true", StringComparison.OrdinalIgnoreCase);

    /// <summary>Makes the host export spans and metrics, from before the server starts until it has stopped.</summary>
    public static IHostBuilder UseOtlpExport(this IHostBuilder host, EnvironmentVariables environment) =>
        host
        // The SDK reads its variables from the host's configuration, which is otherwise empty.
        .ConfigureAppConfiguration(settings =>
                settings.AddInMemoryCollection(
                    environment
                        .Values.Where(variable => variable.Key.StartsWith(VariablePrefix, StringComparison.Ordinal))
                        .Select(variable => KeyValuePair.Create(variable.Key, (string?)variable.Value))
                )
            )
            .ConfigureServices(services =>
                services
                    .AddHostedService<OtlpFailureLog>()
                    .AddOpenTelemetry()
                    .ConfigureResource(resource => Describe(resource, environment))
                    .WithTracing(traces => traces.AddSource("ProxySwapper").AddOtlpExporter())
                    .WithMetrics(metrics => metrics.AddMeter("ProxySwapper*").AddOtlpExporter())
            );

    /// <summary>Our resource attributes; those of the environment come last and win.</summary>
    private static void Describe(ResourceBuilder resource, EnvironmentVariables environment) =>
        resource
            .Clear()
            .AddTelemetrySdk()
            .AddService("proxyswapper", serviceVersion: ProgramVersion.Read().Version)
            .AddAttributes(PodAttributes(environment))
            .AddEnvironmentVariableDetector();

    /// <summary>The attributes of the Pod that the chart passes on.</summary>
    private static IEnumerable<KeyValuePair<string, object>> PodAttributes(EnvironmentVariables environment)
    {
        foreach (var (variable, attribute) in new[] { ("POD_NAME", "k8s.pod.name"), ("POD_NAMESPACE", "k8s.namespace.name") })
            if (environment[variable] is { } value)
                yield return new(attribute, value);
    }
}

/// <summary>Logs failures that the OTLP exporter only reports as events, such as an unreachable collector.</summary>
internal sealed partial class OtlpFailureLog(ILogger<OtlpFailureLog> logger) : EventListener, IHostedService
{
    private const string ExporterSource = "OpenTelemetry-Exporter-OpenTelemetryProtocol";

    // Hosted services are created before any of them starts, and so before the exporter; this one listens until it is disposed, after the
    // last export.
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    protected override void OnEventSourceCreated(EventSource eventSource)
    {
        if (eventSource.Name == ExporterSource)
            EnableEvents(eventSource, EventLevel.Warning);
    }

    protected override void OnEventWritten(EventWrittenEventArgs eventData)
    {
        var text = eventData.Message ?? eventData.EventName ?? "";
        for (var index = 0; index < eventData.Payload?.Count; index++)
            // Only the first line; a stack trace follows.
            text = text.Replace($"{{{index}}}", $"{eventData.Payload[index]}".Split('\n')[0], StringComparison.Ordinal);
        Log.Failed(logger, text);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "Spans or metrics could not be sent: {Reason}")]
        public static partial void Failed(ILogger logger, string reason);
    }
}
