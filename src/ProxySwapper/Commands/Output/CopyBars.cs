using System.Collections.Concurrent;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Copying;
using Spectre.Console;

namespace ProxySwapper.Commands.Output;

/// <summary>The progress of a copy on a terminal: a bar for the total with rate and remaining time, and one for each blob.</summary>
internal sealed class CopyBars(ProgressContext context, TimeProvider time) : IProgress<CopyProgress>
{
    private readonly TransferTotal _total = new(time);
    private readonly ConcurrentDictionary<Digest, ProgressTask> _bars = new();
    private readonly Lazy<ProgressTask> _whole = new(() => context.AddTaskAt("total", new ProgressTaskSettings(), 0));

    public static ProgressColumn[] Columns =>
        [
            new TaskDescriptionColumn { Alignment = Justify.Left },
            new ProgressBarColumn(),
            new DownloadedColumn(),
            new TransferSpeedColumn(),
            new RemainingTimeColumn(),
        ];

    public void Report(CopyProgress value)
    {
        _total.Add(value);
        if (_total.Size > 0 || _whole.IsValueCreated)
        {
            _whole.Value.MaxValue = Math.Max(_total.Size, 1);
            _whole.Value.Value = _total.Size == 0 ? 1 : _total.Done;
        }
        if (value.Step == CopyStep.Present)
            return;
        var bar = _bars.GetOrAdd(value.Blob.Digest, _ => context.AddTask(CopyOutput.NameOf(value), maxValue: Math.Max(value.Blob.Size, 1)));
        if (value.Step == CopyStep.Mounted)
            bar.Description = $"{CopyOutput.NameOf(value)} mounted";
        bar.Value = value.Step is CopyStep.Copied or CopyStep.Mounted ? bar.MaxValue : value.Bytes;
    }
}
