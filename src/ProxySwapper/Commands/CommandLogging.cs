using ProxySwapper.Management;

namespace ProxySwapper.Commands;

/// <summary>The log of commands that a person runs: on standard error, so that what they print can be piped.</summary>
internal static class CommandLogging
{
    public static ILoggerFactory Create(LogLevel minimum) =>
        LoggerFactory.Create(logging => logging.AddProgramLogging(minimum, isPerson: true));
}
