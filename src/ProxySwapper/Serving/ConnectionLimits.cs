using System.Diagnostics.Metrics;
using System.Globalization;

namespace ProxySwapper.Serving;

/// <summary>
/// The limits of both ports: what connections to one do must not take the other one, the memory or the files of the process.
/// </summary>
internal sealed class ConnectionLimits
{
    /// <summary>API servers keep a few connections each. One that does nothing takes 50 KB, one that floods up to 500 KB.</summary>
    private const int MaximumWebhookConnections = 256;

    /// <summary>Probes and scrapes.</summary>
    private const int MaximumManagementConnections = 64;

    public ConnectionLimits(TimeProvider time, IMeterFactory meters)
    {
        var closed = meters
            .Create("ProxySwapper")
            .CreateCounter<long>(
                "proxyswapper_connections_closed_total",
                unit: null,
                description: "Connections closed to make room for others, by reason: the idlest of too many connections, or the busiest "
                    + "one when there are too many requests.",
                tags: [new("reason", ConnectionLimiter.Reasons)]
            );
        var files = OpenFilesLimit();
        // Copies, the configuration and the API server need files too.
        Webhook = new(Math.Min(MaximumWebhookConnections, files / 2), time, closed);
        Management = new(Math.Min(MaximumManagementConnections, files / 8), time, closed);
    }

    public ConnectionLimiter Webhook { get; }

    public ConnectionLimiter Management { get; }

    /// <summary>How many files the process may have open, as Linux says; sockets are files.</summary>
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
