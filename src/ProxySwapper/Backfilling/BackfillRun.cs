using System.Collections.Concurrent;
using ProxySwapper.Mirroring;
using ProxySwapper.Population.Queue;
using ProxySwapper.Population.Transfer;
using ProxySwapper.Registries;
using ProxySwapper.Registry.Timing;

namespace ProxySwapper.Backfilling;

/// <summary>
/// Copies images in order, several in parallel. A failure does not stop the others; with <c>--wait</c>, transient failures are retried
/// until they succeed.
/// </summary>
internal sealed class BackfillRun(
    ImageTransfer transfer,
    RateLimitGate gate,
    IMirrorOutput output,
    BackfillSettings settings,
    TimeProvider time
)
{
    private readonly ConcurrentDictionary<BackfillImage, MirrorResult> _results = new();
    private readonly Backoff _backoff = new(Random.Shared.NextDouble);

    /// <summary>Runs to the end or until it is cancelled; the report contains what is left.</summary>
    public async Task<MirrorReport> RunAsync(BackfillPlan plan, CancellationToken cancellationToken)
    {
        foreach (var skipped in plan.Skipped)
            output.Finished(skipped);
        var images = plan.Images;
        for (var round = 1; images.Count > 0; round++)
        {
            var again = new ConcurrentQueue<(BackfillImage Image, JobFailure Failure)>();
            await RunAsync(images, again, cancellationToken);
            images = await PauseAsync(again, round, cancellationToken);
        }
        return new MirrorReport([.. plan.Skipped, .. plan.Images.Select(image => _results[image])], settings.DryRun);
    }

    private async Task RunAsync(
        IReadOnlyList<BackfillImage> images,
        ConcurrentQueue<(BackfillImage, JobFailure)> again,
        CancellationToken cancellationToken
    )
    {
        var waiting = new ConcurrentQueue<BackfillImage>(images);
        await Task.WhenAll(Enumerable.Range(0, settings.Parallel).Select(_ => WorkAsync()));

        async Task WorkAsync()
        {
            while (waiting.TryDequeue(out var image))
                if (await TryAsync(image, cancellationToken) is { } failure)
                    again.Enqueue((image, failure));
        }
    }

    /// <summary>Retries an image after a pause.</summary>
    private async Task<IReadOnlyList<BackfillImage>> PauseAsync(
        ConcurrentQueue<(BackfillImage Image, JobFailure Failure)> again,
        int round,
        CancellationToken cancellationToken
    )
    {
        if (again.IsEmpty)
            return [];
        var pause = _backoff.After(round, again.Max(failed => failed.Failure.RetryAfter));
        foreach (var (image, failure) in again)
            output.Note($"{image.Work.Target}: retrying in {Math.Ceiling(pause.TotalSeconds)} s: {failure.Message}");
        try
        {
            await Task.Delay(pause, time, cancellationToken);
            return [.. again.Select(failed => failed.Image)];
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            foreach (var (image, failure) in again)
                Settle(image, MirrorOutcome.Failed, failure.Message);
            return [];
        }
    }

    /// <returns>Null if the image is done; otherwise why to retry it.</returns>
    private async Task<JobFailure?> TryAsync(BackfillImage image, CancellationToken cancellationToken)
    {
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (settings.DryRun)
            {
                Settle(image, image.Problem is null ? MirrorOutcome.Copied : MirrorOutcome.Failed, image.Problem);
                return null;
            }
            var progress = output.Started(image.Task);
            var (result, closed) = await gate.RunAsync(
                image.Task.Image,
                token => transfer.RunAsync(image.Work, image.Origins, progress, token),
                cancellationToken
            );
            if (result is null)
                Settle(image, MirrorOutcome.Left, $"the pull limit of {closed} was reached");
            else
                Settle(
                    image,
                    result.Outcome == TransferOutcome.UpToDate ? MirrorOutcome.UpToDate : MirrorOutcome.Copied,
                    null,
                    result.Digest,
                    result.Bytes
                );
            return null;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            Settle(image, MirrorOutcome.Left, "the run was stopped");
            return null;
        }
        catch (Exception fault) when (FailureClassifier.IsExpected(fault))
        {
            var failure = FailureClassifier.Read(fault);
            if (settings.Wait && failure.Kind != FailureKind.Permanent)
                return failure;
            Settle(image, MirrorOutcome.Failed, failure.Message);
            return null;
        }
        catch (Exception fault)
        {
            // A bug in this program: the other images continue.
            Settle(image, MirrorOutcome.Failed, RegistryFailures.MessageOf(fault));
            return null;
        }
    }

    private void Settle(BackfillImage image, MirrorOutcome outcome, string? detail, string? digest = null, long bytes = 0)
    {
        var result = new MirrorResult(image.Task.Image, image.Task.Tag, outcome, detail, digest, bytes);
        _results[image] = result;
        output.Finished(result);
    }
}

/// <summary>The command line's settings for a run.</summary>
/// <param name="Parallel">Images copied in parallel.</param>
/// <param name="DryRun">Only show what would be copied.</param>
/// <param name="Wait">Retry transient failures until they succeed.</param>
internal sealed record BackfillSettings(int Parallel, bool DryRun, bool Wait);
