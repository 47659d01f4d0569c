using System.Collections.Concurrent;
using System.Threading.Channels;
using ProxySwapper.Registries;

namespace ProxySwapper.Mirroring;

/// <summary>
/// One run over a mirror file. Planning and copying overlap: images are planned in parallel, and their tasks go through a channel to the
/// workers. One failure does not stop the others, unless requested.
/// </summary>
internal sealed partial class MirrorRun(
    MirrorFile file,
    MirrorSettings settings,
    MirrorPlanner planner,
    MirrorWorker worker,
    RateLimitGate gate,
    IMirrorOutput output,
    ILogger logger
)
{
    private readonly ConcurrentQueue<MirrorResult> _results = new();

    public static MirrorRun Create(
        MirrorFile file,
        MirrorSettings settings,
        RegistryServices access,
        IMirrorOutput output,
        TimeProvider time,
        ILogger logger
    )
    {
        var gate = new RateLimitGate(settings.OnRateLimit, output, time);
        var repeated = file.Images.GroupBy(image => image.Source.Name).Where(images => images.Count() > 1).Select(images => images.Key);
        var planner = new MirrorPlanner(access.Clients, access.Credentials, settings.Shard, repeated.ToHashSet(), logger);
        var worker = new MirrorWorker(access.Copier, access.Credentials, access.Repositories.CreateAsync, gate, output, settings.DryRun);
        return new MirrorRun(file, settings, planner, worker, gate, output, logger);
    }

    /// <summary>Runs until finished or cancelled; after cancellation the report lists what is left, and nothing is half done.</summary>
    public async Task<MirrorReport> RunAsync(CancellationToken cancellationToken)
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var tasks = Channel.CreateUnbounded<MirrorTask>();
        var planning = PlanAllAsync(tasks.Writer, stopping);
        var working = Task.WhenAll(Enumerable.Range(0, settings.Parallel).Select(_ => WorkAsync(tasks.Reader, stopping)));
        await Task.WhenAll(planning, working);
        var order = file.Images.Index().ToDictionary(entry => entry.Item.Name, entry => entry.Index);
        return new MirrorReport([.. _results.OrderBy(result => order[result.Image.Name])], settings.DryRun);
    }

    private async Task PlanAllAsync(ChannelWriter<MirrorTask> tasks, CancellationTokenSource stopping)
    {
        try
        {
            // Not cancelled as a whole, so that each image not reached is reported.
            await Parallel.ForEachAsync(
                file.Images,
                new ParallelOptions { MaxDegreeOfParallelism = settings.Parallel },
                async (image, _) =>
                {
                    var plan = await PlanAsync(image, stopping.Token);
                    foreach (var result in plan.Settled)
                        await SettleAsync(result, stopping);
                    foreach (var task in plan.Tasks)
                        await tasks.WriteAsync(task, CancellationToken.None);
                }
            );
        }
        finally
        {
            // The workers end too when the output cannot be written.
            tasks.Complete();
        }
    }

    /// <summary>An image whose planning fails for any reason has that as its only result.</summary>
    private async Task<MirrorPlan> PlanAsync(MirrorImage image, CancellationToken cancellationToken)
    {
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            var (plan, closed) = await gate.RunAsync(image, token => planner.PlanAsync(image, token), cancellationToken);
            return plan ?? Unplanned(MirrorOutcome.Left, $"the pull limit of {closed} was reached");
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return Unplanned(MirrorOutcome.Left, "the run was stopped");
        }
        catch (Exception fault)
        {
            return Unplanned(MirrorOutcome.Failed, RegistryFailures.MessageOf(fault));
        }

        MirrorPlan Unplanned(MirrorOutcome outcome, string detail) => new([], [new MirrorResult(image, null, outcome, detail)]);
    }

    private async Task WorkAsync(ChannelReader<MirrorTask> tasks, CancellationTokenSource stopping)
    {
        await foreach (var task in tasks.ReadAllAsync(CancellationToken.None))
            await SettleAsync(await RunAsync(task, stopping.Token), stopping);
    }

    /// <summary>Any failure becomes the task's result, since the worker has others to do.</summary>
    private async Task<MirrorResult> RunAsync(MirrorTask task, CancellationToken cancellationToken)
    {
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            return await worker.RunAsync(task, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return new MirrorResult(task.Image, task.Tag, MirrorOutcome.Left, "the run was stopped");
        }
        catch (Exception fault)
        {
            return new MirrorResult(task.Image, task.Tag, MirrorOutcome.Failed, RegistryFailures.MessageOf(fault));
        }
    }

    private async Task SettleAsync(MirrorResult result, CancellationTokenSource stopping)
    {
        _results.Enqueue(result);
        output.Finished(result);
        Log.Settled(logger, result.Image.Name, result.Tag, result.Outcome, result.Detail ?? "");
        if (settings.ExitOnError && result.Outcome == MirrorOutcome.Failed)
            await stopping.CancelAsync();
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Debug, "{Image}: {Tag}: {Outcome} {Detail}")]
        public static partial void Settled(ILogger logger, string image, string? tag, MirrorOutcome outcome, string detail);
    }
}
