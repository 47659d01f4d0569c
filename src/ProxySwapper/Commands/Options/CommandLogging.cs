using ProxySwapper.Configuration;
using ProxySwapper.Management;
using ProxySwapper.Registry.Distribution;
using Serilog.Extensions.Logging;

namespace ProxySwapper.Commands.Options;

/// <summary>The log of interactive commands: on standard error, so that their output can be piped.</summary>
internal static class CommandLogging
{
    /// <param name="isDebug">True to log every request and decision; otherwise warnings, and waits that registries impose.</param>
    public static ILoggerFactory Create(bool isDebug) =>
        LoggerFactory.Create(logging =>
        {
            logging.AddProgramLogging(isDebug ? LogLevel.Debug : LogLevel.Information, LogFormat.Text);
            if (!isDebug)
                logging.AddFilter<SerilogLoggerProvider>(
                    (category, level) => level >= LogLevel.Warning || category == typeof(RegistryClient).FullName
                );
        });
}
