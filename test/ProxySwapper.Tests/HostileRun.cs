using ProxySwapper.Testing.Inputs;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests;

/// <summary>
/// Thousands of operations against a hostile server: each ends in time, with a result or an exception that says what is wrong, never with a
/// bug, and what is read and kept is bounded. A failure names its seed; running that seed alone repeats it.
/// </summary>
/// <param name="server">The server, reset for each seed.</param>
/// <param name="firstSeed">The first of the seeds.</param>
/// <param name="count">How many operations.</param>
/// <param name="isExpected">Whether an exception is one that callers of the operation handle.</param>
internal sealed class HostileRun(HostileServer server, int firstSeed, int count, Predicate<Exception> isExpected)
{
    /// <summary>Buffers that the runtime pools.</summary>
    private const long MostKept = 128L << 20;

    /// <summary>The largest limit of a response, and what the connection buffers.</summary>
    private const long ReceiveLimit = 32L << 20;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    public async Task RunAsync(Func<int, Task> operation)
    {
        var bugs = new List<string>();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var seed = firstSeed; seed < firstSeed + count; seed++)
        {
            server.Reset(seed);
            try
            {
                await operation(seed).WaitAsync(Limit, TimeProvider.System);
            }
            catch (TimeoutException fault) when (fault.StackTrace?.Contains("WaitAsync", StringComparison.Ordinal) == true)
            {
                throw new AssertionException($"seed {seed} hangs", fault);
            }
            catch (Exception fault) when (isExpected(fault))
            {
                Assert.That(fault.Message, Does.Not.Contain("   at ").And.Not.Contain("s3cr3t"), $"seed {seed}");
            }
            catch (Exception fault)
            {
                bugs.Add($"seed {seed}: {fault}");
            }
        }
        var kept = 0L;
        // Connections that are still closing give their buffers back a little later.
        await TestWait.UntilAsync(
            () => (kept = GC.GetTotalMemory(forceFullCollection: true) - before) < MostKept,
            $"that less than {MostKept >> 20} MiB are kept of what was rejected"
        );
        TestContext.Out.WriteLine(
            $"{count} operations: {kept >> 10} KiB are kept, {server.MaximumReceived >> 10} KiB of an endless response were read"
        );
        Assert.That(bugs.Take(5), Is.Empty);
        Assert.That(server.MaximumReceived, Is.LessThan(ReceiveLimit), "what has no end is not read to its end");
    }
}
