using System.Diagnostics;
using System.Globalization;

namespace ProxySwapper.Benchmarks;

/// <summary>A completed run of a program.</summary>
/// <param name="Duration">From before the process starts until it has exited.</param>
/// <param name="PeakMegabytes">The kernel's peak of the resident memory, sampled while the program runs.</param>
internal sealed record ToolRun(TimeSpan Duration, double PeakMegabytes)
{
    /// <param name="program">The program.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="watchesMemory">Whether to sample the memory, which costs a little time.</param>
    /// <exception cref="InvalidOperationException">It failed.</exception>
    public static async Task<ToolRun> MeasureAsync(string program, IEnumerable<string> arguments, bool watchesMemory = false)
    {
        // Programs keep what they cache between rounds in the home directory.
        var home = Directory.CreateTempSubdirectory("tool-home-");
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["HOME"] = home.FullName;
        try
        {
            var started = TimeProvider.System.GetTimestamp();
            using var process = Process.Start(start)!;
            var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            var ended = process.WaitForExitAsync();
            var peak = watchesMemory ? await WatchAsync(process.Id, ended) : 0;
            await ended;
            var duration = TimeProvider.System.GetElapsedTime(started);
            return process.ExitCode == 0
                ? new ToolRun(duration, peak)
                : throw new InvalidOperationException($"{program}: {await error}{await output}");
        }
        finally
        {
            home.Delete(recursive: true);
        }
    }

    private static async Task<double> WatchAsync(int process, Task ended)
    {
        var peak = 0.0;
        while (!ended.IsCompleted)
        {
            peak = Math.Max(peak, Peak(process));
            await Task.WhenAny(ended, Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System));
        }
        return peak;
    }

    private static double Peak(int process)
    {
        try
        {
            return File.ReadLines($"/proc/{process}/status")
                .Where(line => line.StartsWith("VmHWM:", StringComparison.Ordinal))
                .Select(line =>
                    double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture) / 1024
                )
                .FirstOrDefault();
        }
        catch (IOException)
        {
            // It exited between two samples.
            return 0;
        }
    }
}
