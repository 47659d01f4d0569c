using System.Globalization;

namespace ProxySwapper.Benchmarks.Populate;

/// <summary>Samples the resident memory of a process.</summary>
internal sealed class MemoryWatch : IDisposable
{
    private readonly string _file;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task<double> _watching;

    public MemoryWatch(int process)
    {
        _file = $"/proc/{process}/status";
        _watching = WatchAsync();
    }

    /// <summary>The current value in megabytes.</summary>
    public double Now =>
        File.ReadLines(_file)
            .Where(line => line.StartsWith("VmRSS:", StringComparison.Ordinal))
            .Select(line => double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture) / 1024)
            .First();

    /// <returns>The highest sample, in megabytes.</returns>
    public async Task<double> StopAsync()
    {
        await _stop.CancelAsync();
        return await _watching;
    }

    public void Dispose() => _stop.Dispose();

    private async Task<double> WatchAsync()
    {
        var peak = Now;
        while (!_stop.IsCancellationRequested)
        {
            peak = Math.Max(peak, Now);
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, _stop.Token)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        return peak;
    }
}
