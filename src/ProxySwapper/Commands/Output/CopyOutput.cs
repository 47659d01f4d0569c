using ProxySwapper.Registry;
using ProxySwapper.Registry.Copying;
using ProxySwapper.Registry.Timing;
using Spectre.Console;

namespace ProxySwapper.Commands.Output;

/// <summary>Shows the progress of a copy: progress bars on a terminal, otherwise lines.</summary>
internal static class CopyOutput
{
    private const int DigestLength = 19;

    public static async Task<T> ShowAsync<T>(Func<IProgress<CopyProgress>, Task<T>> copy, TimeProvider time)
    {
        if (ProgramConsole.IsTerminal)
            return await ProgramConsole.Create().Progress().Columns(CopyBars.Columns).StartAsync(bars => copy(new CopyBars(bars, time)));
        using var lines = new CopyLines(Console.Out, time);
        return await copy(lines);
    }

    /// <summary>The first characters of a blob's digest, enough to distinguish the blobs of an image.</summary>
    public static string NameOf(CopyProgress progress) => progress.Blob.Digest.ToString()[..DigestLength];

    /// <summary>The result of a copy as a line of text.</summary>
    public static string Describe(CopyRequest request, CopyResult result, TimeSpan duration)
    {
        if (result.Outcome == CopyOutcome.UpToDate)
            return $"{request.Target} is up to date";
        var rate = result.BytesCopied > 0 && duration > TimeSpan.Zero ? (long)(result.BytesCopied / duration.TotalSeconds) : 0;
        return $"{request.Source} -> {request.Target}: "
            + $"{CountFormat.Format(result.BlobsCopied, "blob")} copied, {result.BlobsMounted} mounted, "
            + $"{result.BlobsPresent} already present; {ByteSize.Format(result.BytesCopied)} copied in {DurationFormat.Format(duration)}"
            + (rate > 0 ? $" ({ByteSize.Format(rate)}/s)" : "");
    }
}
