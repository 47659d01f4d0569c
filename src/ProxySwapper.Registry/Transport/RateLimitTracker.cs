using System.Globalization;
using Microsoft.Extensions.Logging;
using ProxySwapper.Registry.Timing;

namespace ProxySwapper.Registry.Transport;

/// <summary>Tracks a host's remaining pulls, and warns once when they become few.</summary>
internal sealed partial class RateLimitTracker(RegistryName host, TimeProvider time, ILoggerFactory loggers)
{
    private readonly ILogger _logger = loggers.CreateLogger<RateLimitTracker>();
    private readonly SteadyClock _clock = new(time);
    private RateLimitStatus? _status;
    private bool _warned;

    public RateLimitStatus? Status => _status is { } status ? status with { At = _clock.ToSystemTime(status.At) } : null;

    public void Observe(RegistryResponse response)
    {
        if (Read(response.Header("ratelimit-remaining")) is not ({ } remaining, var window))
            return;
        var (limit, limitWindow) = Read(response.Header("ratelimit-limit"));
        _status = new RateLimitStatus(remaining, limit, window ?? limitWindow, _clock.UtcNow);
        RegistryMetrics.RateLimit(host, remaining);
        Log.Remaining(_logger, host, remaining, limit);
        var isFew = limit is { } all ? remaining <= all / 10 : remaining <= 10;
        if (isFew && !_warned)
            Log.Few(_logger, host, remaining, limit, _status.Window is { } length ? DurationFormat.Format(length) : "the window");
        _warned = isFew;
    }

    /// <summary>Parses <c>N;w=S</c>: an optional number and an optional window in seconds.</summary>
    public static (int? Count, TimeSpan? Window) Read(string? value)
    {
        if (value is null)
            return default;
        var parts = value.Split(';', StringSplitOptions.TrimEntries);
        int? count = int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
        TimeSpan? window = null;
        foreach (var part in parts.AsSpan(1))
            if (
                part.StartsWith("w=", StringComparison.Ordinal)
                && int.TryParse(part.AsSpan(2), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            )
                window = TimeSpan.FromSeconds(seconds);
        return (count, window);
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Debug, Message = "{Host}: {Remaining} of {Limit} pulls remain")]
        public static partial void Remaining(ILogger logger, RegistryName host, int remaining, int? limit);

        [LoggerMessage(
            Level = LogLevel.Warning,
            Message = "{Host}: only {Remaining} of {Limit} pulls remain in {Window}; logging in raises the limit"
        )]
        public static partial void Few(ILogger logger, RegistryName host, int remaining, int? limit, string window);
    }
}

/// <summary>A registry's pull limit (<see href="https://docs.docker.com/docker-hub/usage/pulls/">Docker Hub, pull usage</see>).</summary>
/// <param name="Remaining">Pulls left in the window.</param>
/// <param name="Limit">Pulls in a window, or null if unknown.</param>
/// <param name="Window">The window's length, or null if unknown.</param>
/// <param name="At">When the registry reported it.</param>
public sealed record RateLimitStatus(int Remaining, int? Limit, TimeSpan? Window, DateTimeOffset At);
