using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using ProxySwapper.Configuration;
using ProxySwapper.Registry.Timing;

namespace ProxySwapper.Management;

/// <summary>
/// Ready once everything else has started. After SIGTERM it is not ready at once, but keeps serving for a while, since requests arrive
/// until the endpoint is removed from the Service everywhere.
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
        Log.Draining(logger, DurationFormat.Format(options.DrainDelay));
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

        [LoggerMessage(3, LogLevel.Information, "No longer ready; still serving for {Delay} before shutdown")]
        public static partial void Draining(ILogger logger, string delay);
    }
}
