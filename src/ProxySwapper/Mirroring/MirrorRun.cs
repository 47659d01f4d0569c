using System.Collections.Concurrent;
using System.Threading.Channels;
using ProxySwapper.Registries;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Copying;
using ProxySwapper.Registry.Timing;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Mirroring;

/// <summary>
/// One run over a mirror file. Planning and copying overlap: images are planned in parallel, and their tasks go through a channel to the
/// workers, each alone or as a sequence. One failure does not stop the others, unless requested or in a sequence.
/// </summary>
internal sealed partial class MirrorRun(
    MirrorFile file,
    MirrorSettings settings,
    MirrorPlanner planner,
    MirrorWorker worker,
    RateLimitGate gate,
    Func<ImageReference, CancellationToken, Task> reconcileRepository,
    IMirrorOutput output,
    TimeProvider time,
    ILogger logger
)
{
    private readonly ConcurrentDictionary<string, bool> _reconciled = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<MirrorResult> _results = new();

    public static MirrorRun Create(
        MirrorFile file,
        MirrorSettings settings,
        RegistryServices access,
        IMirrorOutput output,
        TimeProvider time,
        ILogger logger
    ) => Create(file, settings, access, access.Repositories.ReconcileAsync, output, time, logger);

    internal static MirrorRun Create(
        MirrorFile file,
        MirrorSettings settings,
        RegistryServices access,
        Func<ImageReference, CancellationToken, Task> reconcileRepository,
        IMirrorOutput output,
        TimeProvider time,
        ILogger logger
    )
    {
        var gate = new RateLimitGate(settings.OnRateLimit, output, time);
        var repeated = file.Images.GroupBy(image => image.Source.Name).Where(images => images.Count() > 1).Select(images => images.Key);
        var planner = new MirrorPlanner(access.Clients, access.Credentials, settings.Shard, repeated.ToHashSet(), logger);
        var worker = new MirrorWorker(access.Copier, access.Credentials, access.Repositories.CreateAsync, gate, output, settings);
        return new MirrorRun(file, settings, planner, worker, gate, reconcileRepository, output, time, logger);
    }

    /// <summary>Runs until finished or cancelled; after cancellation the report lists what is left, and nothing is half done.</summary>
    public async Task<MirrorReport> RunAsync(CancellationToken cancellationToken)
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var tasks = Channel.CreateUnbounded<IReadOnlyList<MirrorTask>>();
        var planning = PlanAllAsync(tasks.Writer, stopping);
        var working = Task.WhenAll(Enumerable.Range(0, settings.Parallel).Select(_ => WorkAsync(tasks.Reader, stopping)));
        await Task.WhenAll(planning, working);
        var order = file.Images.Index().ToDictionary(entry => entry.Item.Name, entry => entry.Index);
        return new MirrorReport([.. _results.OrderBy(result => order[result.Image.Name])], settings.DryRun);
    }

    private async Task PlanAllAsync(ChannelWriter<IReadOnlyList<MirrorTask>> tasks, CancellationTokenSource stopping)
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
                    foreach (var sequence in plan.Sequences)
                        await tasks.WriteAsync(sequence, CancellationToken.None);
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
            var (plan, closed) = await gate.RunAsync(image, token => PlanInTimeAsync(image, token), cancellationToken);
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

    private async Task<MirrorPlan> PlanInTimeAsync(MirrorImage image, CancellationToken cancellationToken)
    {
        using var timeout = new OperationTimeout(settings.CopyTimeout, time, cancellationToken);
        try
        {
            return await planner.PlanAsync(image, timeout.Token);
        }
        catch (OperationCanceledException fault) when (timeout.HasPassed)
        {
            var limit = DurationFormat.Format(settings.CopyTimeout);
            throw new TimeoutException($"{image.Source.Name}: selecting its tags timed out after {limit}", fault);
        }
    }

    private async Task WorkAsync(ChannelReader<IReadOnlyList<MirrorTask>> tasks, CancellationTokenSource stopping)
    {
        await foreach (var sequence in tasks.ReadAllAsync(CancellationToken.None))
            await RunAsync(sequence, stopping);
    }

    /// <summary>
    /// What follows a task that another run may still finish is left to that run. An image that cannot be copied at all holds back nothing.
    /// </summary>
    private async Task RunAsync(IReadOnlyList<MirrorTask> sequence, CancellationTokenSource stopping)
    {
        MirrorResult? unfinished = null;
        foreach (var task in sequence)
        {
            var result = unfinished is null ? await RunAsync(task, stopping.Token) : LeftAfter(unfinished, task);
            await SettleAsync(result, stopping);
            if (result is { Outcome: MirrorOutcome.Failed, IsPermanent: false } or { Outcome: MirrorOutcome.Left })
                unfinished ??= result;
        }
    }

    private static MirrorResult LeftAfter(MirrorResult unfinished, MirrorTask task) =>
        new(
            task.Image,
            task.Tag,
            MirrorOutcome.Left,
            unfinished.Outcome == MirrorOutcome.Failed
                ? $"mode higher copies in ascending order, and {unfinished.Tag} failed"
                : unfinished.Detail
        );

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
            return new MirrorResult(task.Image, task.Tag, MirrorOutcome.Failed, RegistryFailures.MessageOf(fault))
            {
                IsPermanent =
                    fault is CopyException or RegistryException { IsLimitExceeded: true } or RegistryException { IsImageUnknown: true },
            };
        }
    }

    private async Task SettleAsync(MirrorResult result, CancellationTokenSource stopping)
    {
        _results.Enqueue(result);
        output.Finished(result);
        Log.Settled(logger, result.Image.Name, result.Tag, result.Outcome, result.Detail ?? "");
        await ReconcileAsync(result, stopping.Token);
        if (settings.ExitOnError && result.Outcome == MirrorOutcome.Failed)
            await stopping.CancelAsync();
    }

    /// <summary>Once for each destination that is known to exist: its policies may be older than the configuration.</summary>
    private async Task ReconcileAsync(MirrorResult result, CancellationToken cancellationToken)
    {
        var exists = result.Outcome is MirrorOutcome.Copied or MirrorOutcome.Replaced or MirrorOutcome.UpToDate;
        if (settings.DryRun || !exists || !_reconciled.TryAdd(result.Image.Destination.Name, true))
            return;
        try
        {
            await reconcileRepository(result.Image.Destination, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The next run does it.
        }
        catch (Exception fault) when (RegistryFailures.IsExpected(fault))
        {
            output.Note($"the policies of {result.Image.Destination.Name} are not checked: {fault.Message}");
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Debug, "{Image}: {Tag}: {Outcome} {Detail}")]
        public static partial void Settled(ILogger logger, string image, string? tag, MirrorOutcome outcome, string detail);
    }
}
