using ProxySwapper.Configuration;

namespace ProxySwapper.Hosting;

/// <summary>
/// Between SIGTERM and the end: says not ready at once, and serves on for a while, since API servers send reviews until the endpoint
/// is gone from the Service everywhere.
/// </summary>
internal sealed partial class DrainDelay(Readiness readiness, ProxySwapperOptions options, TimeProvider time, ILogger<DrainDelay> logger)
    : IHostedLifecycleService
{
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        readiness.Drain();
        Log.Draining(logger, options.DrainDelay);
        await Task.Delay(options.DrainDelay, time, cancellationToken);
    }

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        readiness.Started();
        Log.Ready(logger);
        return Task.CompletedTask;
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "Ready")]
        public static partial void Ready(ILogger logger);

        [LoggerMessage(2, LogLevel.Information, "Not ready any more; serving on for {Delay} before the end")]
        public static partial void Draining(ILogger logger, TimeSpan delay);
    }
}
