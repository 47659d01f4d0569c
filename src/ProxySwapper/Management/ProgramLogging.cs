using System.Globalization;
using Serilog;
using Serilog.Events;
using Serilog.Extensions.Logging;
using Serilog.Formatting.Json;

namespace ProxySwapper.Management;

/// <summary>The log: a line of JSON for each event where a collector reads it, text where a person does.</summary>
internal static class ProgramLogging
{
    private const string Text = "{Timestamp:HH:mm:ss.fff} {Level:u3} {SourceContext}: {Message:lj}{NewLine}{Exception}";

    public static ILoggingBuilder AddProgramLogging(this ILoggingBuilder logging, LogLevel minimum, bool isPerson)
    {
        var level = LevelConvert.ToSerilogLevel(minimum);
        // A failed handshake or an aborted request is the other side's business; what the framework says of itself is news when tracing.
        var framework = minimum == LogLevel.Trace ? LogEventLevel.Verbose : LogEventLevel.Warning;
        var configuration = new LoggerConfiguration()
            .MinimumLevel.Is(level)
            .MinimumLevel.Override("Microsoft", framework)
            .MinimumLevel.Override("System", framework)
            .Filter.ByExcluding(IsAbortedBody);
        logging.AddSerilog(Configure(configuration, isPerson).CreateLogger(), dispose: true);
        // Also ends the span that the framework makes of each request: ours is the admission's, which has the API server's as its parent.
        // Said of the provider, since AddSerilog lets that one see everything.
        return logging.AddFilter<SerilogLoggerProvider>("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);
    }

    /// <summary>A client that goes away in the middle of a body is for Kestrel an error of ours.</summary>
    private static bool IsAbortedBody(LogEvent log) =>
        log.Properties.TryGetValue("EventId", out var id)
        && id is StructureValue structure
        && structure.Properties.Any(property =>
            property is { Name: "Name", Value: ScalarValue { Value: "RequestBodyDrainBodyReaderInvalidState" } }
        );

    private static LoggerConfiguration Configure(LoggerConfiguration configuration, bool isPerson) =>
        isPerson
            ? configuration.WriteTo.Console(
                outputTemplate: Text,
                formatProvider: CultureInfo.InvariantCulture,
                standardErrorFromLevel: LevelAlias.Minimum
            )
            : configuration.WriteTo.Console(new JsonFormatter(renderMessage: true, formatProvider: CultureInfo.InvariantCulture));
}
