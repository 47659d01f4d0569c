using System.Diagnostics;

namespace ProxySwapper.Testing.Time;

/// <summary>Waits for another thread or process, with a timeout that only a failure reaches.</summary>
internal static class TestWait
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(120);

    public static Task UntilAsync(Func<bool> condition, string? what = null) => UntilAsync(() => Task.FromResult(condition()), what);

    /// <exception cref="TimeoutException">The condition did not become true.</exception>
    public static async Task UntilAsync(Func<Task<bool>> condition, string? what = null)
    {
        var watch = Stopwatch.StartNew();
        while (!await condition())
        {
            if (watch.Elapsed > Deadline)
                throw new TimeoutException($"{what ?? "What was waited for"} did not happen within {Deadline.TotalSeconds} s.");
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
        }
    }
}
