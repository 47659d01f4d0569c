using Microsoft.Extensions.Time.Testing;
using ProxySwapper.Management;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Management;

[TestFixture]
internal sealed class BackgroundWorkTests
{
    [Test]
    public async Task Work_that_fails_is_logged_and_starts_again_after_a_pause()
    {
        var (time, log, runs) = (new FakeTimeProvider(), new CapturedLog(), 0);
        using var stop = new CancellationTokenSource();
        var work = BackgroundWork.KeepRunningAsync(
            async token =>
            {
                if (++runs == 1)
                    throw new InvalidOperationException("a bug");
                await Task.Delay(Timeout.InfiniteTimeSpan, time, token);
            },
            time,
            log,
            stop.Token
        );
        Assert.That((runs, work.IsCompleted), Is.EqualTo((1, false)));
        Assert.That(log.Text, Does.Contain("it starts again in 5 s").And.Contain("a bug"));
        time.Advance(BackgroundWork.Pause);
        await TestWait.UntilAsync(() => runs == 2);
        await stop.CancelAsync();
        await work;
    }

    [Test]
    public void Every_service_in_the_background_outlives_its_bugs() =>
        Assert.That(
            Directory
                .EnumerateFiles(SourceTree.PathOf("src", "ProxySwapper"), "*.cs", SearchOption.AllDirectories)
                .Where(file => File.ReadAllText(file).Contains(": BackgroundService", StringComparison.Ordinal))
                .Where(file => !File.ReadAllText(file).Contains("BackgroundWork.KeepRunningAsync(", StringComparison.Ordinal)),
            Is.Empty
        );
}
