using System.Collections.Concurrent;
using ProxySwapper.Configuration;
using ProxySwapper.Management;
using ProxySwapper.Population.Queue;
using ProxySwapper.Rules;

namespace ProxySwapper.Population.Transfer;

/// <summary>
/// Takes jobs from the queue and runs up to the configured number in parallel, with <c>dryRun</c> none. On shutdown, running jobs get the
/// grace period, and those still waiting are logged by name.
/// </summary>
internal sealed partial class PopulationWorker(
    PopulationQueue queue,
    JobExecutor executor,
    ProxySwapperOptions options,
    ConfigurationMonitor rules,
    TimeProvider time,
    ILogger<PopulationWorker> logger
) : IHostedService, IDisposable
{
    /// <summary>Part of the grace period reserved for a stopped copy to clean up at its registries.</summary>
    private static readonly TimeSpan CleanUpTime = TimeSpan.FromSeconds(3);

    private readonly CancellationTokenSource _abort = new();
    private readonly ConcurrentDictionary<PopulationJob, Task> _running = new();
    private Task _dispatching = Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _dispatching = BackgroundWork.KeepRunningAsync(DispatchAsync, time, logger, CancellationToken.None);
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        foreach (var job in queue.Close())
            Log.Left(logger, job.Work.Key, job.Work.Origin.ToString());
        await _dispatching;
        var running = Task.WhenAll(_running.Values);
        if (!running.IsCompleted)
            Log.Waiting(logger, _running.Count);
        var grace = options.ShutdownGracePeriod - CleanUpTime;
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(running, Task.Delay(grace > TimeSpan.Zero ? grace : TimeSpan.Zero, time, end.Token));
        await end.CancelAsync();
        await _abort.CancelAsync();
        await running.WaitAsync(CleanUpTime, time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public void Dispose() => _abort.Dispose();

    private async Task DispatchAsync(CancellationToken cancellationToken)
    {
        while (await queue.TakeAsync(cancellationToken) is { } job)
        {
            if (rules.Current.Options.DryRun)
            {
                // Queued before a reload switched it on.
                queue.Failed(job, new JobFailure("dryRun is on: nothing is copied", FailureKind.Permanent));
                continue;
            }
            // Not on this thread: a job may start with synchronous work.
            var running = Task.Run(() => executor.RunAsync(job, _abort.Token), CancellationToken.None);
            _running[job] = running;
            _ = running.ContinueWith(
                ended =>
                {
                    _running.TryRemove(KeyValuePair.Create(job, ended));
                    if (ended.Exception is { } fault)
                        Log.Broken(logger, job.Work.Key, fault.GetBaseException());
                },
                CancellationToken.None,
                TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default
            );
        }
    }

    private static partial class Log
    {
        [LoggerMessage(
            1,
            LogLevel.Warning,
            "{Target} from {Source} was still queued; it is copied after the next start, or for the next Pod"
        )]
        public static partial void Left(ILogger logger, string target, string source);

        [LoggerMessage(2, LogLevel.Information, "Waiting for running copies: {Count}")]
        public static partial void Waiting(ILogger logger, int count);

        [LoggerMessage(3, LogLevel.Error, "{Target} failed with an internal error")]
        public static partial void Broken(ILogger logger, string target, Exception fault);
    }
}
