using System.Diagnostics.Tracing;

namespace ProxySwapper.Management;

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
