using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using ProxySwapper.Configuration;

namespace ProxySwapper.Management;

/// <summary>
/// Ready once everything else has started; and between SIGTERM and the end, not ready at once and serving on for a while, since
/// requests come until the endpoint is gone from the Service everywhere.
/// </summary>
internal sealed partial class ServingLifecycle(
    Readiness readiness,
    IServer server,
    ProxySwapperOptions options,
    TimeProvider time,
    ILogger<ServingLifecycle> logger
) : IHostedLifecycleService
{
    public Task StartedAsync(CancellationToken cancellationToken)
    {
        Log.Listening(logger, string.Join(", ", server.Features.Get<IServerAddressesFeature>()!.Addresses));
        readiness.Started();
        Log.Ready(logger);
        return Task.CompletedTask;
    }

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        readiness.Drain();
        Log.Draining(logger, options.DrainDelay);
        await Task.Delay(options.DrainDelay, time, cancellationToken);
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "Listening on {Addresses}")]
        public static partial void Listening(ILogger logger, string addresses);

        [LoggerMessage(2, LogLevel.Information, "Ready")]
        public static partial void Ready(ILogger logger);

        [LoggerMessage(3, LogLevel.Information, "Not ready any more; serving on for {Delay} before the end")]
        public static partial void Draining(ILogger logger, TimeSpan delay);
    }
}
