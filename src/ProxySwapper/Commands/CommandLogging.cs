using System.Globalization;
using Serilog;
using Serilog.Events;

namespace ProxySwapper.Commands;

/// <summary>The log of commands that a person runs: on standard error, so that what they print can be piped.</summary>
internal static class CommandLogging
{
    public static ILoggerFactory Create(LogLevel minimum) => LoggerFactory.Create(logging => logging
        .SetMinimumLevel(minimum)
        .AddSerilog(
            new LoggerConfiguration()
                .MinimumLevel.Verbose()
                .WriteTo.Console(
                    outputTemplate: "{Timestamp:HH:mm:ss} {Level:u3} {Message:lj}{NewLine}{Exception}",
                    standardErrorFromLevel: LogEventLevel.Verbose,
                    formatProvider: CultureInfo.InvariantCulture)
                .CreateLogger(),
            dispose: true));
}
