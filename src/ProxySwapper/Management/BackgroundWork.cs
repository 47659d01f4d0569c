namespace ProxySwapper.Management;

/// <summary>
/// Background work that outlives its own bugs: an exception is logged, and the work starts again after a pause. Otherwise it would end
/// unnoticed, or end the process and the webhook with it.
/// </summary>
internal static partial class BackgroundWork
{
    /// <summary>The pause before work starts again.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    /// <summary>Runs the work until shutdown, or until it returns because there is nothing to do.</summary>
    /// <param name="work">The work, which may be called again.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Logs exceptions.</param>
    /// <param name="stoppingToken">Shutdown.</param>
    public static async Task KeepRunningAsync(
        Func<CancellationToken, Task> work,
        TimeProvider time,
        ILogger logger,
        CancellationToken stoppingToken
    )
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await work(stoppingToken);
                return;
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception fault)
            {
                Log.Broken(logger, Pause.TotalSeconds, fault);
            }
            await Task.Delay(Pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "Background work failed with an internal error; it starts again in {Seconds} s")]
        public static partial void Broken(ILogger logger, double seconds, Exception fault);
    }
}
