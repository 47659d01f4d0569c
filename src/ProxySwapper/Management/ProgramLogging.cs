using System.Globalization;
using Serilog;
using Serilog.Events;
using Serilog.Extensions.Logging;
using Serilog.Formatting.Json;

namespace ProxySwapper.Management;

/// <summary>The log: one line of JSON per event for collectors, text for people.</summary>
internal static class ProgramLogging
{
    private const string Text = "{Timestamp:HH:mm:ss.fff} {Level:u3} {SourceContext}: {Message:lj}{NewLine}{Exception}";

    public static ILoggingBuilder AddProgramLogging(this ILoggingBuilder logging, LogLevel minimum, bool isPerson)
    {
        var level = LevelConvert.ToSerilogLevel(minimum);
        // Failed handshakes and aborted requests are the client's problem; the framework's own messages only matter when tracing.
        var framework = minimum == LogLevel.Trace ? LogEventLevel.Verbose : LogEventLevel.Warning;
        var configuration = new LoggerConfiguration()
            .MinimumLevel.Is(level)
            .MinimumLevel.Override("Microsoft", framework)
            .MinimumLevel.Override("System", framework)
            .Filter.ByExcluding(IsAbortedBody);
        logging.AddSerilog(Configure(configuration, isPerson).CreateLogger(), dispose: true);
        // Also disables the framework's span per request: ours is the admission's, a child of the API server's.
        // Set on the provider, since AddSerilog lets it see everything.
        return logging.AddFilter<SerilogLoggerProvider>("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);
    }

    /// <summary>Kestrel reports a client that disconnects in the middle of a body as our error.</summary>
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
