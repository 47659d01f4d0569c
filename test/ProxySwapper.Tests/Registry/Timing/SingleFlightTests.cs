using ProxySwapper.Registry.Timing;

namespace ProxySwapper.Tests.Registry.Timing;

[TestFixture]
internal sealed class SingleFlightTests
{
    [Test]
    public async Task Work_is_done_once_for_all_who_ask_meanwhile_and_anew_for_who_asks_later()
    {
        var flights = new SingleFlight<string, int>();
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var runs = 0;
        async Task<int> WorkAsync()
        {
            await gate.Task;
            return Interlocked.Increment(ref runs);
        }
        var asked = Enumerable.Range(0, 20).Select(_ => flights.RunAsync("a", WorkAsync, default)).ToList();
        var other = flights.RunAsync("b", () => Task.FromResult(42), default);
        Assert.That(await other, Is.EqualTo(42), "another key waits for nobody");
        gate.SetResult();
        Assert.That(await Task.WhenAll(asked), Is.All.EqualTo(1));
        Assert.That(await flights.RunAsync("a", WorkAsync, default), Is.EqualTo(2));
    }

    [Test]
    public async Task Who_gives_up_ends_the_work_for_nobody_else()
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
    public async Task A_failure_is_told_to_who_waits_and_to_nobody_later()
    {
        var flights = new SingleFlight<string, int>();
        Assert.That(
            async () => await flights.RunAsync("a", () => throw new InvalidOperationException("of the work"), default),
            Throws.InvalidOperationException
        );
        Assert.That(await flights.RunAsync("a", () => Task.FromResult(1), default), Is.EqualTo(1));
    }
}
