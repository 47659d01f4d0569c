using ProxySwapper.Management;
using ProxySwapper.Registry.Distribution;
using Serilog.Extensions.Logging;

namespace ProxySwapper.Commands;

/// <summary>The log of commands that a person runs: on standard error, so that what they print can be piped.</summary>
internal static class CommandLogging
{
    /// <param name="isDebug">True for every request and decision; else warnings, and what registries make a person wait for.</param>
    public static ILoggerFactory Create(bool isDebug) =>
        LoggerFactory.Create(logging =>
        {
            logging.AddProgramLogging(isDebug ? LogLevel.Debug : LogLevel.Information, isPerson: true);
            if (!isDebug)
                logging.AddFilter<SerilogLoggerProvider>(
                    (category, level) => level >= LogLevel.Warning || category == typeof(RegistryClient).FullName
                );
        });
}
