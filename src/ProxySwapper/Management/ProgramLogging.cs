using System.Globalization;
using ProxySwapper.Configuration;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Serilog.Extensions.Logging;

namespace ProxySwapper.Management;

/// <summary>The log: one line of JSON per event for collectors, text for people.</summary>
internal static class ProgramLogging
{
    private const string Text = "{Timestamp:HH:mm:ss.fff} {Level:u3} {SourceContext}: {Message:lj}{ExceptionText:l}{NewLine}";

    /// <summary>With stack traces, for whoever looks for a bug.</summary>
    private const string TextWithTraces = "{Timestamp:HH:mm:ss.fff} {Level:u3} {SourceContext}: {Message:lj}{NewLine}{Exception}";

    /// <param name="logging">What is built.</param>
    /// <param name="minimum">The lowest level that is written.</param>
    /// <param name="format">The format; null for text on a terminal, else JSON.</param>
    public static ILoggingBuilder AddProgramLogging(this ILoggingBuilder logging, LogLevel minimum, LogFormat? format)
    {
        var level = LevelConvert.ToSerilogLevel(minimum);
        // Failed handshakes and aborted requests are the client's problem; the framework's own messages only matter when tracing.
        var framework = minimum == LogLevel.Trace ? LogEventLevel.Verbose : LogEventLevel.Warning;
        var configuration = new LoggerConfiguration()
            .MinimumLevel.Is(level)
            .MinimumLevel.Override("Microsoft", framework)
            .MinimumLevel.Override("System", framework)
            .Filter.ByExcluding(IsIgnored);
        format ??= Console.IsOutputRedirected ? LogFormat.Json : LogFormat.Text;
        logging.AddSerilog(Configure(configuration, format.Value, minimum <= LogLevel.Debug).CreateLogger(), dispose: true);
        // Also disables the framework's span per request: ours is the admission's, a child of the API server's.
        // Set on the provider, since AddSerilog lets it see everything.
        // It logs connections that Kestrel closed because of client errors as critical: a flood must not fill the log.
        if (minimum != LogLevel.Trace)
            logging.AddFilter<SerilogLoggerProvider>("Microsoft.AspNetCore.Server.Kestrel.Http2", LogLevel.None);
        return logging.AddFilter<SerilogLoggerProvider>("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);
    }

    /// <summary>What the command reports itself, or what is not our error.</summary>
    private static bool IsIgnored(LogEvent log) =>
        log.Properties.TryGetValue("EventId", out var id)
        && id is StructureValue structure
        && structure.Properties.FirstOrDefault(property => property.Name == "Name")?.Value is ScalarValue { Value: string name }
        && name switch
        {
            // Kestrel reports a client that disconnects in the middle of a body as our error.
            "RequestBodyDrainBodyReaderInvalidState" => true,
            // The host throws the exception too, and the command says why it cannot start.
            "HostedServiceStartupFaulted" => true,
            // The host cancels services that did not yet run when another one could not start. Ours end quietly when they are cancelled.
            "BackgroundServiceFaulted" or "BackgroundServiceStoppingHost" => log.Exception is OperationCanceledException,
            _ => false,
        };

    private static LoggerConfiguration Configure(LoggerConfiguration configuration, LogFormat format, bool withTraces)
    {
        if (format == LogFormat.Json)
            return configuration.WriteTo.Console(new JsonLogFormatter(withTraces));
        if (!withTraces)
            configuration.Enrich.With<ExceptionTextEnricher>();
        return configuration.WriteTo.Console(
            outputTemplate: withTraces ? TextWithTraces : Text,
            formatProvider: CultureInfo.InvariantCulture,
            standardErrorFromLevel: LevelAlias.Minimum
        );
    }

    /// <summary>Adds what the template of the text writes behind the message of an event with an exception.</summary>
    private sealed class ExceptionTextEnricher : ILogEventEnricher
    {
        public void Enrich(LogEvent logEvent, ILogEventPropertyFactory propertyFactory)
        {
            if (logEvent.Exception is { } exception)
                logEvent.AddOrUpdateProperty(new(nameof(ExceptionText), new ScalarValue($": {ExceptionText.Describe(exception)}")));
        }
    }
}
