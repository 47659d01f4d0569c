using System.Globalization;
using ProxySwapper.Configuration;
using Serilog;
using Serilog.Events;
using Serilog.Extensions.Logging;

namespace ProxySwapper.Management;

/// <summary>The log: one line of JSON per event for collectors, text for people.</summary>
internal static class ProgramLogging
{
    private const string Text = "{Timestamp:HH:mm:ss.fff} {Level:u3} {SourceContext}: {Message:lj}{NewLine}{Exception}";

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
            .Filter.ByExcluding(IsAbortedBody);
        logging.AddSerilog(
            Configure(configuration, format ?? (Console.IsOutputRedirected ? LogFormat.Json : LogFormat.Text)).CreateLogger(),
            dispose: true
        );
        // Also disables the framework's span per request: ours is the admission's, a child of the API server's.
        // Set on the provider, since AddSerilog lets it see everything.
        // It logs connections that Kestrel closed because of client errors as critical: a flood must not fill the log.
        if (minimum != LogLevel.Trace)
            logging.AddFilter<SerilogLoggerProvider>("Microsoft.AspNetCore.Server.Kestrel.Http2", LogLevel.None);
        return logging.AddFilter<SerilogLoggerProvider>("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);
    }

    /// <summary>Kestrel reports a client that disconnects in the middle of a body as our error.</summary>
    private static bool IsAbortedBody(LogEvent log) =>
        log.Properties.TryGetValue("EventId", out var id)
        && id is StructureValue structure
        && structure.Properties.Any(property =>
            property is { Name: "Name", Value: ScalarValue { Value: "RequestBodyDrainBodyReaderInvalidState" } }
        );

    private static LoggerConfiguration Configure(LoggerConfiguration configuration, LogFormat format) =>
        format == LogFormat.Text
            ? configuration.WriteTo.Console(
                outputTemplate: Text,
                formatProvider: CultureInfo.InvariantCulture,
                standardErrorFromLevel: LevelAlias.Minimum
            )
            : configuration.WriteTo.Console(new JsonLogFormatter());
}
