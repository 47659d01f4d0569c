using System.Diagnostics.Metrics;
using System.Globalization;

namespace ProxySwapper.Serving;

/// <summary>
/// The limits of both ports: connections to one must not exhaust the other, nor the memory or file descriptors of the process.
/// </summary>
internal sealed class ConnectionLimits
{
    /// <summary>API servers keep a few connections each. An idle one takes 50 KB, a flooding one up to 500 KB.</summary>
    private const int MaximumWebhookConnections = 256;

    /// <summary>Probes and scrapes.</summary>
    private const int MaximumManagementConnections = 64;

    /// <summary>What the runtime still opens until the program serves.</summary>
    private const int StartupFiles = 64;

    /// <summary>Below this, the limit is not lowered further, so that a port still accepts some.</summary>
    private const int MinimumFiles = 32;

    public ConnectionLimits(TimeProvider time, IMeterFactory meters)
    {
        var closed = meters
            .Create("ProxySwapper")
            .CreateCounter<long>(
                "proxyswapper_connections_closed_total",
                unit: null,
                description: "Connections closed to make room for others, by reason: the most idle of too many connections, the busiest "
                    + "one at too many requests, or the one with the most unread responses.",
                tags: [new("reason", ConnectionLimiter.Reasons)]
            );
        // Copies, the configuration and the API server need file descriptors too.
        var files = Math.Max(MinimumFiles, OpenFilesLimit() - OpenFiles() - StartupFiles);
        Webhook = new(Math.Min(MaximumWebhookConnections, files / 2), time, closed);
        Management = new(Math.Min(MaximumManagementConnections, files / 8), time, closed);
    }

    public ConnectionLimiter Webhook { get; }

    public ConnectionLimiter Management { get; }

    /// <summary>The number of files that the process has open; 0 where the system does not show it.</summary>
    private static int OpenFiles()
    {
        const string Files = "/proc/self/fd";
        return Directory.Exists(Files) ? Directory.EnumerateFileSystemEntries(Files).Count() : 0;
    }

    /// <summary>The process's limit of open files on Linux, which includes sockets.</summary>
    private static int OpenFilesLimit()
    {
        const string Name = "Max open files";
        const string Limits = "/proc/self/limits";
        var line = File.Exists(Limits)
            ? File.ReadLines(Limits).FirstOrDefault(line => line.StartsWith(Name, StringComparison.Ordinal))
            : null;
        var columns = line?[Name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return columns is [var soft, ..] && int.TryParse(soft, CultureInfo.InvariantCulture, out var limit) ? limit : int.MaxValue;
    }
}
