namespace ProxySwapper.Management;

/// <summary>
/// Background work that outlives its own bugs: an exception is logged, and the work starts again after a pause. Otherwise it would end
/// unnoticed, or end the process and the webhook with it.
/// </summary>
internal static partial class BackgroundWork
{
    /// <summary>The pause before work starts again.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    /// <summary>How often a changed configuration is looked for while no pass is due: timers are limited to 49 days.</summary>
    private static readonly TimeSpan PollInterval = TimeSpan.FromMinutes(1);

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

    /// <summary>Runs a pass at once and then at an interval, until shutdown. A reload applies within <see cref="PollInterval"/>.</summary>
    /// <param name="interval">The current interval, of any length; null while no pass is wanted.</param>
    /// <param name="pass">One pass; false if a reload ended it, so that it starts again within <see cref="PollInterval"/>.</param>
    /// <param name="time">The clock.</param>
    /// <param name="stoppingToken">Shutdown.</param>
    public static async Task RepeatAsync(
        Func<TimeSpan?> interval,
        Func<CancellationToken, Task<bool>> pass,
        TimeProvider time,
        CancellationToken stoppingToken
    )
    {
        long? ended = null;
        while (!stoppingToken.IsCancellationRequested)
        {
            var every = interval();
            if (every is null)
                ended = null;
            else if (ended is null && await pass(stoppingToken))
                ended = time.GetTimestamp();
            var rest = ended is { } last && every - time.GetElapsedTime(last) is { } left ? left : PollInterval;
            if (rest <= TimeSpan.Zero)
            {
                ended = null;
                continue;
            }
            await Task.Delay(rest < PollInterval ? rest : PollInterval, time, stoppingToken)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "Background work failed with an internal error; it starts again in {Seconds} s")]
        public static partial void Broken(ILogger logger, double seconds, Exception fault);
    }
}
