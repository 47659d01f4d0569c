using System.Diagnostics.Tracing;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace ProxySwapper.Management;

/// <summary>
/// Sends spans and metrics to a collector when the environment names one, with all the variables that OpenTelemetry defines
/// (<see href="https://opentelemetry.io/docs/specs/otel/protocol/exporter/"/>). Not loaded otherwise, which saves memory.
/// </summary>
internal sealed class OtlpExport(IReadOnlyDictionary<string, string> environment, ILogger<OtlpExport> logger) : IHostedService, IDisposable
{
    private const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";
    private const int FlushMilliseconds = 5000;

    private TracerProvider? _traces;
    private MeterProvider? _metrics;
    private OtlpFaults? _faults;

    /// <summary>True when the environment names a collector.</summary>
    public static bool IsWanted(IReadOnlyDictionary<string, string> environment) =>
        environment.GetValueOrDefault(Endpoint, "").Length > 0
        && !string.Equals(environment.GetValueOrDefault("OTEL_SDK_DISABLED"), "true", StringComparison.OrdinalIgnoreCase);

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _faults = new OtlpFaults(logger);
        var resource = ResourceBuilder
            .CreateEmpty()
            .AddTelemetrySdk()
            .AddService("proxyswapper", serviceVersion: typeof(OtlpExport).Assembly.GetName().Version?.ToString(3))
            .AddAttributes(Place())
            .AddEnvironmentVariableDetector();
        _traces = Sdk.CreateTracerProviderBuilder().SetResourceBuilder(resource).AddSource("ProxySwapper").AddOtlpExporter().Build();
        _metrics = Sdk.CreateMeterProviderBuilder().SetResourceBuilder(resource).AddMeter("ProxySwapper*").AddOtlpExporter().Build();
        return Task.CompletedTask;
    }

    /// <summary>Sends what is left: this service was started before the server, and is stopped behind it.</summary>
    public Task StopAsync(CancellationToken cancellationToken) =>
        Task.Run(
            () =>
            {
                _traces?.ForceFlush(FlushMilliseconds);
                _metrics?.ForceFlush(FlushMilliseconds);
            },
            cancellationToken
        );

    public void Dispose()
    {
        _traces?.Dispose();
        _metrics?.Dispose();
        _faults?.Dispose();
    }

    /// <summary>What the chart tells of the Pod that this runs in.</summary>
    private IEnumerable<KeyValuePair<string, object>> Place()
    {
        foreach (var (variable, attribute) in new[] { ("POD_NAME", "k8s.pod.name"), ("POD_NAMESPACE", "k8s.namespace.name") })
            if (environment.TryGetValue(variable, out var value))
                yield return new(attribute, value);
    }
}

/// <summary>Puts into the log what the exporter otherwise says to nobody: a collector that is not there, for instance.</summary>
internal sealed partial class OtlpFaults(ILogger logger) : EventListener
{
    private const string SourcePrefix = "OpenTelemetry-Exporter-OpenTelemetryProtocol";

    protected override void OnEventSourceCreated(EventSource eventSource)
    {
        if (eventSource.Name == SourcePrefix)
            EnableEvents(eventSource, EventLevel.Warning);
    }

    protected override void OnEventWritten(EventWrittenEventArgs eventData)
    {
        var text = eventData.Message ?? eventData.EventName ?? "";
        for (var index = 0; index < eventData.Payload?.Count; index++)
            // The first line: what follows is a stack trace.
            text = text.Replace($"{{{index}}}", $"{eventData.Payload[index]}".Split('\n')[0], StringComparison.Ordinal);
        Log.Failed(logger, text);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "Spans or metrics could not be sent: {Reason}")]
        public static partial void Failed(ILogger logger, string reason);
    }
}
