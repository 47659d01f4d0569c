using ProxySwapper.Registry.Timing;

namespace ProxySwapper.Tests.Registry.Timing;

[TestFixture]
internal sealed class SingleFlightTests
{
    [Test]
    public async Task Work_runs_once_for_concurrent_callers_and_again_for_later_ones()
    {
        var flights = new SingleFlight<string, int>();
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var runs = 0;
        async Task<int> WorkAsync()
        {
            await gate.Task;
            return Interlocked.Increment(ref runs);
        }
        var calls = Enumerable.Range(0, 20).Select(_ => flights.RunAsync("a", WorkAsync, default)).ToList();
        var other = flights.RunAsync("b", () => Task.FromResult(42), default);
        Assert.That(await other, Is.EqualTo(42), "another key waits for nobody");
        gate.SetResult();
        Assert.That(await Task.WhenAll(calls), Is.All.EqualTo(1));
        Assert.That(await flights.RunAsync("a", WorkAsync, default), Is.EqualTo(2));
    }

    [Test]
    public async Task A_cancelled_caller_does_not_end_the_work_for_others()
    {
        var flights = new SingleFlight<string, int>();
        var gate = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var caller = new CancellationTokenSource();
        var impatient = flights.RunAsync("a", () => gate.Task, caller.Token);
        var patient = flights.RunAsync("a", () => throw new InvalidOperationException("a second run"), default);
        await caller.CancelAsync();
        Assert.That(async () => await impatient, Throws.InstanceOf<OperationCanceledException>());
        gate.SetResult(7);
        Assert.That(await patient, Is.EqualTo(7));
    }

    [Test]
    public async Task A_failure_reaches_current_waiters_and_no_later_callers()
    {
        var flights = new SingleFlight<string, int>();
        Assert.That(
            async () => await flights.RunAsync("a", () => throw new InvalidOperationException("of the work"), default),
            Throws.InvalidOperationException
        );
        Assert.That(await flights.RunAsync("a", () => Task.FromResult(1), default), Is.EqualTo(1));
    }
}
