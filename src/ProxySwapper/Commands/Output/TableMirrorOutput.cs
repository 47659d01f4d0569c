using System.Collections.Concurrent;
using ProxySwapper.Mirroring;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Copying;
using Spectre.Console;

namespace ProxySwapper.Commands.Output;

/// <summary>A live table with a progress bar for each running copy; finished tags scroll away above it.</summary>
internal sealed class TableMirrorOutput(IAnsiConsole console, ProgressContext table, bool isDryRun) : IMirrorOutput
{
    private readonly ConcurrentDictionary<(MirrorImage, string), ProgressTask> _bars = new();

    /// <summary>Shows the table while the work runs.</summary>
    public static Task<T> ShowAsync<T>(IAnsiConsole console, bool isDryRun, Func<IMirrorOutput, Task<T>> work) =>
        console
            .Progress()
            .AutoClear(true)
            .HideCompleted(true)
            .Columns(
                new TaskDescriptionColumn { Alignment = Justify.Left },
                new ProgressBarColumn(),
                new DownloadedColumn(),
                new TransferSpeedColumn()
            )
            .StartAsync(table => work(new TableMirrorOutput(console, table, isDryRun)));

    public IProgress<CopyProgress> Started(MirrorTask task)
    {
        var bar = _bars.GetOrAdd(
            (task.Image, task.Tag),
            _ => table.AddTask(Markup.Escape(task.Image.Name + MirrorLine.Suffix(task.Tag)), maxValue: 1)
        );
        return new TransferMeter(
            (done, size) =>
            {
                bar.MaxValue = Math.Max(size, 1);
                bar.Value = done;
            }
        );
    }

    public void Finished(MirrorResult result)
    {
        if (result.Tag is not null && _bars.TryRemove((result.Image, result.Tag), out var bar))
        {
            bar.Value = bar.MaxValue;
            bar.StopTask();
        }
        var style = result.Outcome switch
        {
            MirrorOutcome.Failed => "red",
            MirrorOutcome.Copied or MirrorOutcome.Replaced => "green",
            MirrorOutcome.UpToDate => "grey",
            _ => "yellow",
        };
        // Thousands of up-to-date tags are not worth thousands of lines on a terminal.
        if (result.Outcome != MirrorOutcome.UpToDate)
            console.MarkupLine($"[{style}]{Markup.Escape(MirrorLine.Of(result, isDryRun))}[/]");
    }

    public void Note(string message) => console.MarkupLine($"[yellow]{Markup.Escape(message)}[/]");

    /// <summary>Sums up the blobs of one copy: bytes to copy and bytes copied.</summary>
    private sealed class TransferMeter(Action<long, long> changed) : IProgress<CopyProgress>
    {
        private readonly ConcurrentDictionary<Digest, (long Done, long Size)> _blobs = new();

        public void Report(CopyProgress value)
        {
            var done = value.Step is CopyStep.Copied or CopyStep.Mounted or CopyStep.Present ? value.Blob.Size : value.Bytes;
            _blobs[value.Blob.Digest] = (done, value.Blob.Size);
            var (sumDone, sumSize) = (0L, 0L);
            foreach (var (_, blob) in _blobs)
                (sumDone, sumSize) = (sumDone + blob.Done, sumSize + blob.Size);
            changed(sumDone, sumSize);
        }
    }
}
