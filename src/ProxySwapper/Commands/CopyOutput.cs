using System.Collections.Concurrent;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Copying;
using Spectre.Console;

namespace ProxySwapper.Commands;

/// <summary>Shows the blobs of a copy: a progress bar for each on a terminal, otherwise a line for each finished blob.</summary>
internal static class CopyOutput
{
    private const int DigestLength = 19;

    public static Task<T> ShowAsync<T>(Func<IProgress<CopyProgress>, Task<T>> copy) =>
        ProgramConsole.IsTerminal
            ? ProgramConsole
                .Create()
                .Progress()
                .Columns(
                    new TaskDescriptionColumn { Alignment = Justify.Left },
                    new ProgressBarColumn(),
                    new DownloadedColumn(),
                    new TransferSpeedColumn()
                )
                .StartAsync(bars => copy(new Bars(bars)))
            : copy(new Lines());

    private static string NameOf(CopyProgress progress) => progress.Blob.Digest.ToString()[..DigestLength];

    private sealed class Bars(ProgressContext context) : IProgress<CopyProgress>
    {
        private readonly ConcurrentDictionary<Digest, ProgressTask> _bars = new();

        public void Report(CopyProgress value)
        {
            if (value.Step == CopyStep.Present)
                return;
            var bar = _bars.GetOrAdd(value.Blob.Digest, _ => context.AddTask(NameOf(value), maxValue: Math.Max(value.Blob.Size, 1)));
            if (value.Step == CopyStep.Mounted)
                bar.Description = $"{NameOf(value)} mounted";
            bar.Value = value.Step is CopyStep.Copied or CopyStep.Mounted ? bar.MaxValue : value.Bytes;
        }
    }

    private sealed class Lines : IProgress<CopyProgress>
    {
        public void Report(CopyProgress value)
        {
            if (value.Step is CopyStep.Copied or CopyStep.Mounted or CopyStep.Present)
                Console.WriteLine($"{value.Step.ToString().ToLowerInvariant(), -8} {NameOf(value)} {ByteSize.Format(value.Blob.Size)}");
        }
    }
}
